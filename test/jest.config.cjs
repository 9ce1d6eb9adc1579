// unit: pure libraries. line: whole stretches of the pipeline on embedded services. services: the same against real servers.
const shared = {
  rootDir: require('node:path').resolve(__dirname, '..'),
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json'],
  moduleNameMapper: {
    '^#([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/data'],
  transform: { '^.+\\.(ts|mts|mjs|js|cjs)$': '<rootDir>/test/jest-transform.cjs' },
  transformIgnorePatterns: [],
}
const run = process.env.npm_lifecycle_event === 'test:services' ? ['services'] : ['unit', 'line']
const projects = {
  unit: [
    '<rootDir>/libs/**/*.spec.ts',
    '<rootDir>/apps/**/*.spec.ts',
    '<rootDir>/test/{architecture,bench,worlds}/**/*.spec.ts',
  ],
  line: ['<rootDir>/test/{browser,scenarios,store,e2e}/**/*.spec.ts'],
  services: ['<rootDir>/test/services/**/*.spec.ts'],
}
module.exports = {
  testTimeout: 120_000,
  projects: run.map((displayName) => ({ ...shared, displayName, testMatch: projects[displayName] })),
}
