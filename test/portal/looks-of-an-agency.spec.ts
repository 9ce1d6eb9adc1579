import { type Browser } from 'playwright-core'
import { describeInBrowser, openBrowser, type PageToRead, readAll } from './browser'

const TARIFF = 'gothenburg-pilot-2026'

/** Every page of those who run a pilot, by role. */
const PAGES: Readonly<Record<string, readonly PageToRead[]>> = {
  editor: [
    ['/agency'],
    ['/agency/policies'],
    [`/agency/policies/${TARIFF}`, true],
    [`/agency/policies/${TARIFF}/diff`],
    [`/agency/policies/${TARIFF}/backtest`],
    ['/agency/policies/new', true],
  ],
  agency: [['/agency/disputes'], ['/agency/reviews'], ['/agency/books']],
  auditor: [
    ['/agency'],
    ['/agency/policies'],
    [`/agency/policies/${TARIFF}`, true],
    ['/agency/reviews'],
    ['/agency/books'],
  ],
  analyst: [['/analyst'], ['/analyst/pilot'], ['/analyst/roads', true], ['/analyst/exports']],
}

describeInBrowser('every page of those who run a pilot', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('has no flaw in any look', async () => {
    const found = await Promise.all(Object.entries(PAGES).map(([who, pages]) => readAll(browser, who, pages)))
    expect(found.flat()).toEqual([])
  }, 240_000)
})
