import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'

const PURE = [
  'kernel',
  'contracts',
  'road-network',
  'openlr',
  'map-matching',
  'geofencing',
  'mileage',
  'policy',
  'rating',
  'ledger',
  'statement',
  'fleet',
  'disclosure',
  'tiles',
  'evaluation',
]

const pureSources = PURE.map((lib) => `libs/${lib}/src/**/*.ts`)
const readsTheTime = (message) =>
  [
    "NewExpression[callee.name='Date'][arguments.length=0]",
    "CallExpression[callee.name='Date']",
    "MemberExpression[object.name='Date'][property.name='now']",
  ].map((selector) => ({ selector, message }))

export default tseslint.config(
  { ignores: ['dist/**', 'data/**', 'node_modules/**', 'coverage/**'] },
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx,mts}'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  {
    // Nest reads constructor types at run time, so its imports must stay values.
    files: ['apps/**/*.ts', 'libs/**/*.module.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    // Pure libraries: no clock, no chance, no console, no process. Time and chance are arguments.
    files: pureSources,
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        'console',
        'process',
        'Buffer',
        'setTimeout',
        'setInterval',
        'performance',
        'fetch',
        'crypto',
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'chance is an argument' }],
      'no-restricted-syntax': ['error', ...readsTheTime('time is an argument')],
    },
  },
  {
    // A browser is its own clock and has no process; its imports of types must vanish from the bundle.
    files: ['apps/web/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
    },
  },
  {
    // process.env has one reader: the configuration table.
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    ignores: [...pureSources, 'libs/runtime/**', 'apps/web/**', '**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'configuration is read in libs/runtime',
        },
        ...readsTheTime('time comes from the clock'),
      ],
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'writable',
        process: 'readonly',
        console: 'readonly',
        __dirname: 'readonly',
        Buffer: 'readonly',
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } } },
)
