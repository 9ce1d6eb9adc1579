import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { drive, gridCity, URBAN_RECEIVER, wander } from '#fleet'
import { chance, instant } from '#kernel'
import { Matcher } from '#map-matching'
import { packNetwork } from '#road-network'
import { columnsOf } from '../bench/drives'

const ROOT = resolve(__dirname, '../..')
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!CHROMIUM) console.warn('SKIPPED: the matcher in a page needs Chromium (Debian: apt-get install chromium)')

/** What anybody's page would do. */
const PAGE = `<!doctype html><title>A drive</title><script type="module">
import { Matcher, unpackNetwork } from '/matcher.js'
const network = unpackNetwork(new Uint8Array(await (await fetch('/city.network')).arrayBuffer()))
const rows = await (await fetch('/drive.json')).json()
const columns = (rows) => ({
  length: rows.length,
  at: Float64Array.from(rows, (row) => row[0]),
  lon: Float64Array.from(rows, (row) => row[1]),
  lat: Float64Array.from(rows, (row) => row[2]),
  accuracyM: Float32Array.from(rows, (row) => row[3]),
})
const said = (parts) => JSON.stringify({
  traversals: parts.flatMap((part) => part.traversals),
  fates: parts.flatMap((part) => [...part.fates]),
})
const matcher = new Matcher(network)
window.whole = said([matcher.match(columns(rows))])
const parts = []
matcher.begin()
for (let from = 0; from < rows.length; from += 60) {
  if (from > 0) matcher.restore(matcher.save())
  parts.push(matcher.advance(columns(rows.slice(from, from + 60))))
}
parts.push(matcher.finish())
window.streamed = said(parts)
</script>`

describe('the matcher as an ES module', () => {
  const folder = mkdtempSync(join(tmpdir(), 'roadmeter-browser-'))
  const file = join(folder, 'matcher.js')
  afterAll(() => rmSync(folder, { recursive: true }))
  beforeAll(() => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['infra/bundle.cjs', 'matcher', file], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/matcher\.js: \d+ bytes, \d+ compressed\n$/)
  })

  it('is below 40 KB compressed, and asks for nothing else', () => {
    const code = readFileSync(file, 'utf8')
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(40_000)
    expect(/(?<![.\w])(import\b|require\(|process\.|Buffer\.)/.exec(code)).toBeNull()
  })
  ;(CHROMIUM ? it : it.skip)('matches a trace in a page, whole and streamed, to the byte as Node does', async () => {
    const dice = chance('a page')
    const network = gridCity(40, dice.fork('city'))
    const route = wander(network, 7, 5_000_000, dice)
    const fixes = columnsOf(drive(network, route, instant(1_790_000_000_000), URBAN_RECEIVER, dice).fixes)
    const { traversals, fates } = new Matcher(network).match(fixes)
    expect(traversals.length).toBeGreaterThan(20)

    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      const rows = Array.from(fixes.at, (at, i) => [at, fixes.lon[i], fixes.lat[i], fixes.accuracyM[i]])
      const served: Record<string, [string, string | Buffer]> = {
        '/': ['text/html', PAGE],
        '/matcher.js': ['text/javascript', readFileSync(file)],
        '/city.network': ['application/octet-stream', Buffer.from(packNetwork(network))],
        '/drive.json': ['application/json', JSON.stringify(rows)],
      }
      const asked: string[] = []
      await page.route('**/*', (route) => {
        const path = new URL(route.request().url()).pathname
        asked.push(path)
        const [contentType, body] = served[path] ?? []
        return contentType ? route.fulfill({ contentType, body }) : route.abort()
      })
      await page.goto('http://matcher.test/')
      await page.waitForFunction('window.streamed')
      const found = await page.evaluate<{ whole: string; streamed: string }>('({ whole, streamed })')
      const expected = JSON.stringify({ traversals, fates: [...fates] })
      expect(found.whole).toBe(expected)
      expect(found.streamed).toBe(expected)
      expect(asked.sort()).toEqual(['/', '/city.network', '/drive.json', '/matcher.js'])
    } finally {
      await browser.close()
    }
  })
})
