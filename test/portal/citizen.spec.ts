import { type Browser, type Page } from 'playwright-core'
import { CITIZEN, describeInBrowser, eventually, flaws, go, openBrowser, portalUrl, settled, visit } from './browser'

// One citizen's whole story against the pilot's demo city.

describeInBrowser('a citizen', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

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

  it('drills from the total to the stretch, and every sum agrees', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    const { statement, day, trip } = await drill(page)
    await go(page, statement)
    const total = await page.locator('.rm-figure__value').first().textContent()
    await eventually(async () => expect(await page.locator('tfoot td').last().textContent()).toBe(total))
    await go(page, day)
    await eventually(async () => expect(await page.locator('.rm-map canvas').count()).toBe(1))
    await go(page, trip)
    const [lines, stretches] = [page.locator('table').nth(0), page.locator('table').nth(1)]
    await eventually(async () => expect(await lines.locator('tbody tr').count()).toBeGreaterThan(0))
    await eventually(async () => expect(await stretches.locator('tbody tr').count()).toBeGreaterThan(0))
    // What was left out is told too.
    await eventually(async () =>
      expect(await page.locator('table').nth(2).textContent()).toContain('Used: it lies on a road that you drove'),
    )
    expect(faults).toEqual([])
    await context.close()
  })

  it('questions a trip: all faults at once beside the fields, what was typed is kept, and the amount is held', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    const { trip } = await drill(page)
    await page.goto(`${portalUrl()}${trip}/question`)
    await settled(page)
    await page.locator('form button').click()
    await eventually(async () => expect(await page.locator('.govuk-error-summary li').count()).toBe(2))
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
    await eventually(async () =>
      expect(await page.evaluate('document.activeElement.className')).toContain('govuk-error-summary'),
    )
    await page.locator('textarea').fill('The car was on the ferry.')
    await page.locator('form button').click()
    await eventually(async () =>
      expect(await page.locator('.govuk-error-summary li').allTextContents()).toEqual(['Choose what is wrong']),
    )
    await eventually(async () => expect(await page.locator('textarea').inputValue()).toBe('The car was on the ferry.'))
    await page.getByLabel('I did not drive this').check()
    await page.locator('form button').click()
    await page.getByText('Your question was sent').waitFor()
    await settled(page)
    await eventually(async () =>
      expect(await page.locator('article').first().textContent()).toContain('The car was on the ferry.'),
    )
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
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
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
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
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
    await page.locator('tbody').first().getByText('48,210').first().waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('asks what a drive would cost, by two clicks on the map', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    await page.goto(`${portalUrl()}/my/quote`)
    await settled(page)
    await page.getByRole('button', { name: 'Show the price' }).click()
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
    await page.getByLabel('From', { exact: true }).first().fill('57.7089, 11.9746')
    await page.getByLabel('To', { exact: true }).first().fill('57.6900, 11.9900')
    await page.getByRole('button', { name: 'Show the price' }).click()
    await page.getByText('The trip and its price').first().waitFor()
    await settled(page)
    await eventually(async () =>
      expect(await page.locator('table').last().locator('tbody tr').count()).toBeGreaterThan(3),
    )
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('has the bill work itself out again, and finds it under the published root', async () => {
    const { context, page, faults } = await visit(browser, 'account-0002')
    const asked: string[] = []
    await go(page, '/my/statements')
    await page.locator('tbody a').first().click()
    await settled(page)
    page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
    await page.getByRole('button', { name: 'Check this bill now' }).click()
    await page.getByText('This bill is right').waitFor()
    const told = await page.locator('.rm-notice--success').textContent()
    expect(told).toMatch(/It adds up: \d+ trips/)
    expect(told).toMatch(/It is bill \d+ of 20 under the published root of the month, [0-9a-f]{64}/)
    // It was given what to check, and sent nothing.
    expect(asked.every((one) => one.startsWith('GET '))).toBe(true)
    expect(await flaws(page)).toEqual([])
    // A bill that was changed on its way does not come out right.
    await page.route('**/bundle', async (route) => {
      const answer = await route.fetch()
      const held = (await answer.json()) as { statement: { journeys: { lines: { amount: string }[] }[] } }
      const line = held.statement.journeys.flatMap(({ lines }) => lines).find(({ amount }) => amount !== '0')!
      line.amount = String(BigInt(line.amount) + 1_000_000n)
      await route.fulfill({ json: held })
    })
    await page.getByRole('button', { name: 'Check this bill now' }).click()
    await page.getByText('This bill does not come out right').waitFor()
    await eventually(async () =>
      expect(await page.locator('.rm-notice--warning code').first().textContent()).toMatch(/journeys/),
    )
    expect(faults).toEqual([])
    await context.close()
  })

  it('pays ahead, and has what is left given back', async () => {
    const { context, page, faults } = await visit(browser, 'account-0006')
    await go(page, '/my/pay')
    await page.getByLabel('Amount').fill('2000')
    await page.getByRole('button', { name: 'Top up', exact: true }).click()
    await page.waitForURL(/\/pay\//)
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.waitForURL(/\/my$/)
    await go(page, '/my/pay')
    await page
      .getByRole('button', { name: /^Give back/ })
      .first()
      .click()
    await page.getByText('is on its way back to you').waitFor()
    await page
      .getByRole('button', { name: /^Give back/ })
      .first()
      .waitFor({ state: 'detached' })
    expect(faults).toEqual([])
    await context.close()
  })

  it('answers what the city asks, once', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    await go(page, '/my')
    await page.getByRole('button', { name: 'Send the answers' }).click()
    await page.getByText('Answer at least one question').first().waitFor()
    await page.getByLabel('Sometimes').check()
    await page.getByRole('button', { name: 'Send the answers' }).click()
    await page.getByText('Thank you: your answers are with us').waitFor()
    await go(page, '/my')
    expect(await page.getByText('Your city asks').count()).toBe(0)
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
