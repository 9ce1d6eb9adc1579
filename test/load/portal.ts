import { existsSync, readdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { bench } from '../bench'
import { closePilot, openPilot } from '../portal/pilot'
import { CITIZEN, openBrowser, settled, visit } from '../portal/browser'

/** From asking for a statement's address until its totals and days can be read and chosen, the script in no cache. */
async function statementInteractiveMs(runs: number): Promise<number> {
  const pilot = await openPilot()
  process.env.ROADMETER_PORTAL_URL = pilot.url
  const browser = await openBrowser()
  try {
    const { page, context } = await visit(browser, CITIZEN)
    await page.goto(`${pilot.url}/my/statements`)
    await settled(page)
    const address = (await page.locator('tbody a').first().getAttribute('href'))!
    const cookies = await context.cookies()
    const times: number[] = []
    for (let i = 0; i < runs; i++) {
      const fresh = await browser.newContext()
      await fresh.addCookies(cookies)
      const first = await fresh.newPage()
      const begun = performance.now()
      await first.goto(pilot.url + address)
      await first.locator('tbody a').first().waitFor()
      times.push(performance.now() - begun)
      await fresh.close()
    }
    return times.sort((a, b) => a - b)[times.length >> 1]
  } finally {
    await browser.close()
    await closePilot(pilot)
  }
}

/** The compressed JavaScript that index.html asks for at once. */
function firstLoadBytes(): number {
  const assets = resolve(
    __dirname,
    ['../../web/assets', '../../dist/web/assets'].find((place) => existsSync(resolve(__dirname, place)))!,
  )
  const entry = readdirSync(assets).filter((file) => /^index-.*\.js\.gz$/.test(file))
  return entry.reduce((sum, file) => sum + statSync(`${assets}/${file}`).size, 0)
}

void bench('portal', 'what a first visit loads, and a statement in a browser', (b) => {
  b.fact('first_load_bytes', 'bytes', firstLoadBytes, ['<=', 200_000])
  if (!b.quick) b.fact('statement_interactive_ms', 'ms', () => statementInteractiveMs(5), ['<=', 1_500])
})
