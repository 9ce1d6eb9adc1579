// unit: pure libraries. line: whole stretches of the pipeline on embedded services. services: the same against real servers.
const shared = {
  rootDir: require('node:path').resolve(__dirname, '..'),
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json'],
  moduleNameMapper: {
    '^#([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^#([a-z-]+)/module$': '<rootDir>/libs/$1/src/module.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/data'],
  transform: { '^.+\\.(ts|mts|mjs|js|cjs)$': '<rootDir>/test/jest-transform.cjs' },
  transformIgnorePatterns: [],
}
// portal: the web portal in a browser, on one pilot city.
const RUNS = { 'test:services': ['services'], 'test:e2e': ['portal'], 'docs:screens': ['portal'] }
const run = RUNS[process.env.npm_lifecycle_event] ?? ['unit', 'line']
const projects = {
  unit: [
    '<rootDir>/libs/**/*.spec.ts',
    '<rootDir>/apps/**/*.spec.ts',
    '<rootDir>/test/{architecture,bench,faults,worlds}/**/*.spec.ts',
  ],
  line: ['<rootDir>/test/{browser,scenarios,security,store,e2e}/**/*.spec.ts'],
  services: ['<rootDir>/test/services/**/*.spec.ts'],
  portal: ['<rootDir>/test/portal/**/*.spec.ts'],
}
const around = {
  portal: { globalSetup: '<rootDir>/test/portal/setup.ts', globalTeardown: '<rootDir>/test/portal/teardown.ts' },
}
module.exports = {
  testTimeout: 120_000,
  projects: run.map((displayName) => ({
    ...shared,
    ...around[displayName],
    displayName,
    testMatch: projects[displayName],
  })),
}
