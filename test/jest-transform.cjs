// Jest on Node 20 can't require ES modules, and Nest 12 is nothing else. SWC turns our TypeScript and every
// ES-module file of node_modules into CommonJS; CommonJS files pass through untouched.
const { createTransformer } = require('@swc/jest')
const fs = require('node:fs')
const path = require('node:path')

const swcOptions = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
  swcrc: false,
}

const typeOfFolder = new Map()
function packageType(folder) {
  if (!typeOfFolder.has(folder)) {
    const manifest = path.join(folder, 'package.json')
    typeOfFolder.set(
      folder,
      fs.existsSync(manifest)
        ? (JSON.parse(fs.readFileSync(manifest, 'utf8')).type ?? 'commonjs')
        : path.dirname(folder) === folder
          ? 'commonjs'
          : packageType(path.dirname(folder)),
    )
  }
  return typeOfFolder.get(folder)
}
const isEsModule = (file) =>
  /\.(ts|mts|mjs)$/.test(file) || (file.endsWith('.js') && packageType(path.dirname(file)) === 'module')

/** CommonJS that imports at run time: jest's sandbox knows no import(), so that becomes require too. */
const importsLater = (source, file) =>
  /node_modules.@(electric-sql|fastify).*\.c?js$/.test(file) && source.includes('import(')

module.exports = {
  createTransformer() {
    const swc = createTransformer(swcOptions)
    const concerns = (source, file) => isEsModule(file) || importsLater(source, file)
    return {
      canInstrument: false,
      process: (source, file, options) =>
        concerns(source, file) ? swc.process(source, file, options) : { code: source },
      getCacheKey: (source, file, ...rest) => swc.getCacheKey(source, file, ...rest) + concerns(source, file),
    }
  },
}
