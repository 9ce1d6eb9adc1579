import { type Browser, type Page } from 'playwright-core'
import { CITIZEN, describeInBrowser, flaws, LOOKS, mapColours, openBrowser, portalUrl, settled, visit } from './browser'

// One citizen's whole story against the pilot's demo city.

/** Every page of the room, and what is a map on it. */
const PAGES: readonly (readonly [address: string, isMap?: boolean])[] = [
  ['/my'],
  ['/my/statements'],
  ['/my/trips?month=2026-10'],
  ['/my/pay'],
  ['/my/vehicles'],
  ['/my/quote', true],
  ['/my/disputes'],
  ['/my/privacy'],
]

describeInBrowser('a citizen', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const go = async (page: Page, address: string) => {
    await page.goto(portalUrl() + address)
    await settled(page)
  }
  /** From the statements to the one, its day, its trip: the addresses of each. */
  const drill = async (page: Page) => {
    await go(page, '/my/statements')
    await page.locator('tbody a').first().click()
    await settled(page)
    const statement = page.url()
    await page.locator('a[href*="/my/statements/"][href*="2026-10-"]').first().click()
    await settled(page)
    const day = page.url()
    await page.locator('a[href*="/my/trips/"]').first().click()
    await settled(page)
    const way = (url: string) => url.slice(portalUrl().length)
    return { statement: way(statement), day: way(day), trip: way(page.url()) }
  }

  it.each(LOOKS)('reads every page without a flaw, %j', async (look) => {
    const { context, page, faults } = await visit(browser, CITIZEN, look)
    const { statement, day, trip } = await drill(page)
    const drilled = [statement, day, trip].map((address) => [address, true] as const)
    const vehicle = await (await go(page, '/my/vehicles'), page.locator('.rm-card a').first().getAttribute('href'))
    const found: string[] = []
    for (const [address, isMap] of [
      ...PAGES,
      ...drilled,
      [`${trip}/question`] as const,
      [vehicle!] as const,
      [`${vehicle}/phone`] as const,
    ]) {
      await go(page, address)
      found.push(...(await flaws(page)).map((flaw) => `${address}: ${flaw}`))
      if (isMap && (await mapColours(page)) < 5) found.push(`${address}: the map is blank`)
    }
    expect(found).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('drills from the total to the stretch, and every sum agrees', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    const { statement, day, trip } = await drill(page)
    await go(page, statement)
    const total = await page.locator('.rm-figure__value').first().textContent()
    expect(await page.locator('tfoot td').last().textContent()).toBe(total)
    await go(page, day)
    expect(await page.locator('.rm-map canvas').count()).toBe(1)
    await go(page, trip)
    const [lines, stretches] = [page.locator('table').nth(0), page.locator('table').nth(1)]
    expect(await lines.locator('tbody tr').count()).toBeGreaterThan(0)
    expect(await stretches.locator('tbody tr').count()).toBeGreaterThan(0)
    // What was left out is told too.
    expect(await page.locator('table').nth(2).textContent()).toContain('Used: it lies on a road that you drove')
    expect(faults).toEqual([])
    await context.close()
  })

  it('questions a trip: all faults at once beside the fields, what was typed is kept, and the amount is held', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    const { trip } = await drill(page)
    await page.goto(`${portalUrl()}${trip}/question`)
    await settled(page)
    await page.locator('form button').click()
    expect(await page.locator('.govuk-error-summary li').count()).toBe(2)
    expect(await page.locator('.govuk-error-message').count()).toBe(2)
    expect(await page.evaluate('document.activeElement.className')).toContain('govuk-error-summary')
    await page.locator('textarea').fill('The car was on the ferry.')
    await page.locator('form button').click()
    expect(await page.locator('.govuk-error-summary li').allTextContents()).toEqual(['Choose what is wrong'])
    expect(await page.locator('textarea').inputValue()).toBe('The car was on the ferry.')
    await page.getByLabel('I did not drive this').check()
    await page.locator('form button').click()
    await page.getByText('Your question was sent').waitFor()
    await settled(page)
    expect(await page.locator('article').first().textContent()).toContain('The car was on the ferry.')
    expect(await flaws(page)).toEqual([])
    await page.goto(`${portalUrl()}/my/pay`)
    await page.getByText(/is held for your questions/).waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('sets a budget and pays the bill', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    await page.goto(`${portalUrl()}/my`)
    await settled(page)
    await page.getByText('Set a budget').click()
    await page.getByLabel('What may a month cost?').fill('-3')
    await page.getByLabel('Tell me when').fill('5')
    await page.getByRole('button', { name: 'Save the budget' }).click()
    expect(await page.locator('.govuk-error-message').count()).toBe(2)
    await page.getByLabel('What may a month cost?').fill('300')
    await page.getByLabel('Tell me when').fill('80')
    await page.getByRole('button', { name: 'Save the budget' }).click()
    await page.getByText('Your budget is saved').waitFor()
    await page.goto(`${portalUrl()}/my/pay`)
    await page
      .getByRole('button', { name: /^Pay .* now$/ })
      .first()
      .click()
    await page.waitForURL(/\/pay\//)
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.waitForURL(/\/my$/)
    await page.goto(`${portalUrl()}/my/pay`)
    await page
      .locator('.rm-tag')
      .filter({ hasText: /paid|held/ })
      .first()
      .waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('enters an odometer reading with a photo', async () => {
    const { context, page, faults } = await visit(browser, 'account-0002')
    await page.goto(`${portalUrl()}/my/vehicles`)
    await page.locator('.rm-card a').first().click()
    await settled(page)
    await page.getByRole('button', { name: 'Send the reading' }).click()
    expect(await page.locator('.govuk-error-message').count()).toBe(2)
    await page.getByLabel('Odometer', { exact: true }).fill('48210')
    await page.getByLabel('Photo of the odometer').setInputFiles({
      name: 'odometer.png',
      mimeType: 'image/png',
      buffer: Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        'base64',
      ),
    })
    await page.getByRole('button', { name: 'Send the reading' }).click()
    await page.getByText('Your reading is saved').waitFor()
    expect(await page.locator('tbody').first().textContent()).toContain('48,210')
    expect(faults).toEqual([])
    await context.close()
  })

  it('asks what a drive would cost, by two clicks on the map', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    await page.goto(`${portalUrl()}/my/quote`)
    await settled(page)
    await page.getByRole('button', { name: 'Show the price' }).click()
    expect(await page.locator('.govuk-error-message').count()).toBe(2)
    await page.getByLabel('From', { exact: true }).first().fill('57.7089, 11.9746')
    await page.getByLabel('To', { exact: true }).first().fill('57.6900, 11.9900')
    await page.getByRole('button', { name: 'Show the price' }).click()
    await page.getByText('The trip and its price').first().waitFor()
    await settled(page)
    expect(await page.locator('table').last().locator('tbody tr').count()).toBeGreaterThan(3)
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('is told to sign in again when the session is over, and what to do without a connection', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    await page.goto(`${portalUrl()}/my/statements`)
    await settled(page)
    await context.setOffline(true)
    await page.getByRole('link', { name: 'Pay' }).first().click()
    await page.getByText('No connection').first().waitFor()
    await context.setOffline(false)
    await page.getByRole('button', { name: 'Try again' }).first().click()
    await page.getByText('What is left to pay').waitFor()
    await context.clearCookies()
    await page.getByRole('link', { name: 'Trips' }).first().click()
    await page.getByRole('heading', { name: 'Your session is over' }).waitFor()
    await context.close()
  })
})
