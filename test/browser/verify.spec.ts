import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { canonical, instant } from '#kernel'
import { merkleProof, merkleRoot } from '#ledger'
import { statementDigest } from '#statement'
import { october, TARIFF } from '../../libs/statement/src/month.fixture'
import { openWorld, type World } from '../harness'
import { build } from '../services/processes'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!CHROMIUM) console.warn('SKIPPED: the page that verifies needs Chromium (Debian: apt-get install chromium)')

;(CHROMIUM ? describe : describe.skip)('the page that verifies a statement', () => {
  let world: World
  beforeAll(async () => {
    build()
    world = await openWorld(instant(Date.parse('2026-11-02T12:00:00Z')))
  })
  afterAll(() => world?.close())

  it('works it out again under a strict policy, and asks nobody for anything', async () => {
    const statement = october()
    const leaves = [statementDigest(statement), statementDigest({ ...statement, month: '2026-09' })]
    const root = merkleRoot(leaves)
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage({ viewport: { width: 360, height: 800 } })
      const asked: string[] = []
      const faults: string[] = []
      page.on('request', (request) => asked.push(new URL(request.url()).pathname))
      page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
      page.on('pageerror', (error) => faults.push(error.message))
      const answer = await page.goto(`${world.httpUrl}/verify`)
      expect(answer!.headers()['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
      const choose = (id: string, text: string) =>
        page.setInputFiles(`#${id}`, { name: `${id}.json`, mimeType: 'application/json', buffer: Buffer.from(text) })
      const check = async () => {
        await page.click('button')
        // Not waitForFunction: where it must poll, it evaluates a string, and the page's policy forbids that.
        await page.locator('#said > *').first().waitFor()
        const said = await page.textContent('#said')
        await page.evaluate("document.getElementById('said').replaceChildren()")
        return said
      }
      expect(await check()).toContain('Choose the statement')
      await choose('statement', canonical(statement))
      await choose('policies', JSON.stringify([{ document: TARIFF }]))
      await choose('proof', JSON.stringify({ root, proof: merkleProof(leaves, 0) }))
      const good = await check()
      expect(good).toContain(`It adds up: ${statement.journeys.length} journeys`)
      expect(good).toContain(`It is statement 1 of 2 under root ${root}`)
      await page.fill('#root', 'f'.repeat(64))
      expect(await check()).toContain('It is NOT statement 1 of 2')
      const { due } = statement.totals
      await choose('statement', canonical(statement).replaceAll(`"due":"${due}"`, `"due":"${due + 10_000n}"`))
      expect(await check()).toContain('totals.due: 16.14, found 16.15')
      await choose('statement', 'not JSON')
      expect(await check()).toContain('statement.json is not JSON')
      expect(asked.filter((path) => path !== '/favicon.ico').sort()).toEqual(['/verify', '/verify.js'])
      expect(faults.filter((text) => !text.includes('favicon'))).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    } finally {
      await browser.close()
    }
  })
})
