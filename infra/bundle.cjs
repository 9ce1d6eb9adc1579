// Bundles the matcher for a page or a device: `npm run build:browser` writes dist/browser/matcher.js, an ES module of the pure
// libraries alone, and refuses to grow beyond 40 KB compressed.
'use strict'
const { gzipSync } = require('zlib')
const path = require('path')
const { buildSync } = require('esbuild')

const ROOT = path.resolve(__dirname, '..')
const BYTES_MAX = 40_000
const FACE = `
export { ENGINE_VERSION, explainFixes, FATES, Matcher } from '#map-matching'
export { unpackNetwork } from '#road-network'
`

const { outputFiles } = buildSync({
  stdin: { contents: FACE, resolveDir: ROOT },
  absWorkingDir: ROOT,
  outfile: path.resolve(ROOT, process.argv[2] || 'dist/browser/matcher.js'),
  tsconfig: 'tsconfig.json',
  bundle: true,
  write: false,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
})
const [{ path: file, contents }] = outputFiles
const compressed = gzipSync(contents, { level: 9 }).length
if (compressed > BYTES_MAX) {
  console.error(`The matcher is ${compressed} bytes compressed, and at most ${BYTES_MAX} are allowed.`)
  process.exit(1)
}
require('fs').mkdirSync(path.dirname(file), { recursive: true })
require('fs').writeFileSync(file, contents)
console.log(`${path.relative(process.cwd(), file)}: ${contents.length} bytes, ${compressed} compressed`)
