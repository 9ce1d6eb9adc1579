// Builds the portal, apps/web, to dist/web, with a compressed copy beside each file: what is served thousands of times is compressed
// once. The JavaScript that a first visit loads may not outgrow its limit.
'use strict'
const { brotliCompressSync, constants, gzipSync } = require('zlib')
const fs = require('fs')
const path = require('path')

const ROOT = path.resolve(__dirname, '..')
const OUT = path.join(ROOT, 'dist/web')
/** Compressed JavaScript before any map or chart. */
const FIRST_LOAD_BYTES_MAX = 200_000

async function web() {
  const { build } = await import('vite')
  await build({ configFile: path.join(ROOT, 'apps/web/vite.config.mts'), logLevel: 'error' })
  for (const file of fs.readdirSync(path.join(OUT, 'assets'))) {
    if (!/\.(m?js|css|svg)$/.test(file)) continue
    const bytes = fs.readFileSync(path.join(OUT, 'assets', file))
    fs.writeFileSync(path.join(OUT, 'assets', `${file}.gz`), gzipSync(bytes, { level: 9 }))
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
    fs.writeFileSync(path.join(OUT, 'assets', `${file}.br`), brotliCompressSync(bytes, { params }))
  }
  // What index.html asks for at once: its script and what that imports statically.
  const page = fs.readFileSync(path.join(OUT, 'index.html'), 'utf8')
  const first = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(([, file]) => file)
  const bytes = first.reduce((sum, file) => sum + fs.statSync(path.join(OUT, `${file}.gz`)).size, 0)
  if (bytes > FIRST_LOAD_BYTES_MAX) {
    console.error(
      `A first visit loads ${bytes} bytes of compressed JavaScript, and at most ${FIRST_LOAD_BYTES_MAX} are allowed.`,
    )
    process.exit(1)
  }
  console.log(`dist/web: a first visit loads ${bytes} bytes of compressed JavaScript`)
}
web().catch((error) => {
  console.error(error)
  process.exit(1)
})
