import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Browser } from 'playwright-core'
import { describeInBrowser, openBrowser, portalUrl, settled, visit } from './browser'

// `npm run docs:screens` writes docs/screens from the demo's data; SCREENS_ALL=FOLDER draws every page in every look, to be looked at.

const OUT = process.env.SCREENS_ALL ?? resolve(__dirname, '../../docs/screens')
const isAsked = process.env.npm_lifecycle_event === 'docs:screens' || process.env.SCREENS_ALL !== undefined

;(isAsked ? describeInBrowser : describe.skip)('screens', () => {
  let browser: Browser
  beforeAll(async () => {
    mkdirSync(OUT, { recursive: true })
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const looks = process.env.SCREENS_ALL
    ? (['light', 'dark'] as const).flatMap((theme) => ([1280, 360] as const).map((width) => ({ theme, width })))
    : [{ theme: 'light', width: 1280 } as const]

  it.each(looks)(
    'of a citizen, %j',
    async ({ theme, width }) => {
      const { context, page } = await visit(browser, 'account-0001', { theme, width, language: 'en' })
      const end = process.env.SCREENS_ALL ? `-${theme}-${width}` : ''
      const shoot = async (name: string) => {
        await settled(page)
        await page.waitForTimeout(400)
        await page.screenshot({
          path: `${OUT}/citizen-${name}${end}.png`,
          fullPage: process.env.SCREENS_ALL !== undefined,
        })
      }
      const go = (address: string) => page.goto(portalUrl() + address)
      for (const [name, address] of [
        ['overview', '/my'],
        ['statements', '/my/statements'],
        ['trips', '/my/trips?month=2026-10'],
        ['pay', '/my/pay'],
        ['vehicles', '/my/vehicles'],
        ['privacy', '/my/privacy'],
        ['disputes', '/my/disputes'],
      ] as const) {
        await go(address)
        await shoot(name)
      }
      await go('/my/statements')
      await page.locator('tbody a').first().click()
      await shoot('statement')
      const statement = page.url()
      await page.locator('a[href*="/my/statements/"][href*="2026-10-"]').nth(2).click()
      await shoot('day')
      await page.locator('a[href*="/my/trips/"]').first().click()
      await settled(page)
      await shoot('trip')
      const trip = page.url()
      await page.goto(`${trip}/question`)
      await page.locator('form button').click()
      await shoot('question')
      await go('/my/quote')
      await settled(page)
      await page.locator('input[name="from"]').fill('57.7089, 11.9746')
      await page.locator('input[name="to"]').fill('57.6730, 12.0100')
      await page.locator('form button').click()
      await page.locator('table').first().waitFor()
      await shoot('quote')
      await go('/my/vehicles')
      await page.locator('.rm-card a').first().click()
      await shoot('vehicle')
      await page.goto(`${page.url()}/phone`)
      await shoot('phone')
      expect(statement).toContain('/my/statements/')
      await context.close()
    },
    300_000,
  )
})
