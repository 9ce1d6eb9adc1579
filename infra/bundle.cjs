// Bundles pure libraries for a page or a device, as ES modules that need nothing else: `npm run build:browser` writes the matcher
// (dist/browser/matcher.js), the build what the page /verify runs (verify.js). Neither may outgrow its limit.
'use strict'
const { gzipSync } = require('zlib')
const path = require('path')
const { buildSync } = require('esbuild')

const ROOT = path.resolve(__dirname, '..')
const BUNDLES = {
  matcher: {
    bytesMax: 40_000,
    stdin: {
      resolveDir: ROOT,
      contents: `
        export { ENGINE_VERSION, explainFixes, FATES, Matcher } from '#map-matching'
        export { unpackNetwork } from '#road-network'`,
    },
  },
  verify: { bytesMax: 450_000, entryPoints: ['infra/verify-page.js'] },
}

const [name = 'matcher', outfile = `dist/browser/${name}.js`] = process.argv.slice(2)
const { bytesMax, ...source } = BUNDLES[name]
const { outputFiles } = buildSync({
  ...source,
  absWorkingDir: ROOT,
  outfile: path.resolve(ROOT, outfile),
  tsconfig: 'tsconfig.json',
  bundle: true,
  write: false,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'error',
})
const [{ path: file, contents }] = outputFiles
const compressed = gzipSync(contents, { level: 9 }).length
if (compressed > bytesMax) {
  console.error(`${name} is ${compressed} bytes compressed, and at most ${bytesMax} are allowed.`)
  process.exit(1)
}
require('fs').mkdirSync(path.dirname(file), { recursive: true })
require('fs').writeFileSync(file, contents)
console.log(`${path.relative(process.cwd(), file)}: ${contents.length} bytes, ${compressed} compressed`)
