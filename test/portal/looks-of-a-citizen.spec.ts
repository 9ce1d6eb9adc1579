import { type Browser } from 'playwright-core'
import { CITIZEN, describeInBrowser, follow, openBrowser, readAll } from './browser'

// Every page in every look: nothing that axe finds, nothing wider than its window, no blank map, no other host, no report of the
// content security policy. A page is loaded once and then looked at.

describeInBrowser("every page of a citizen's", () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('has no flaw in any look', async () => {
    const bill = readAll(browser, CITIZEN, [], async (page) => {
      const [statement, day, trip] = await follow(
        page,
        '/my/statements',
        'tbody a',
        'a[href*="/my/statements/"][href*="2026-10-"]',
        'a[href*="/my/trips/"]',
      )
      return [[statement, true], [day, true], [trip, true], [`${trip}/question`]]
    })
    const rest = readAll(
      browser,
      CITIZEN,
      [
        ['/my'],
        ['/my/statements'],
        ['/my/trips?month=2026-10'],
        ['/my/pay'],
        ['/my/vehicles'],
        ['/my/quote', true],
        ['/my/disputes'],
        ['/my/privacy'],
      ],
      async (page) => {
        const [vehicle] = await follow(page, '/my/vehicles', '.rm-card a')
        return [[vehicle], [`${vehicle}/phone`]]
      },
    )
    expect([...(await bill), ...(await rest)]).toEqual([])
  }, 240_000)
})
