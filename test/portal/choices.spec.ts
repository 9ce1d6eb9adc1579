import { type Browser } from 'playwright-core'
import {
  ask,
  CITIZEN,
  describeInBrowser,
  drive,
  eventually,
  flaws,
  go,
  LOOKS,
  openBrowser,
  visit,
  wear,
} from './browser'

// What citizens choose, and what comes of it.

describeInBrowser('a citizen who chooses', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('a budget is told that the month will cost more, and once it is spent, that it is', async () => {
    const who = 'account-0015'
    const { context, page, faults } = await visit(browser, who)
    await go(page, '/my')
    const alert = (text: string) => page.locator('.rm-notice--warning', { hasText: text })
    const save = async (amount: string) => {
      await page.locator('summary', { hasText: 'budget' }).click()
      await page.getByLabel('What may a month cost?').fill(amount)
      await page.getByRole('button', { name: 'Save the budget' }).click()
      await page.getByText('Your budget is saved').waitFor()
    }
    await save('1')
    await alert('If the month goes on as usual, it will cost more than your budget').waitFor()
    expect(await alert('Your budget is spent').count()).toBe(0)
    await drive(who, 'obe-0015', 8)
    await eventually(async () => {
      await go(page, '/my')
      expect(await alert('Your budget is spent').count()).toBe(1)
    })
    expect(await alert('Your budget is spent').textContent()).toContain(
      'Your budget is kr 1.00 a month.'.replace(' 1', '\u00a01'),
    )
    expect(await flaws(page)).toEqual([])
    await save('100000')
    await alert('Your budget is spent').waitFor({ state: 'detached' })
    expect(faults).toEqual([])
    await context.close()
  })

  it('to look what the month would have cost in fuel tax reads it, and how it is reckoned, in either language', async () => {
    const { context, page, faults } = await visit(browser, CITIZEN)
    const [{ id, totals }] = await ask<{ id: string; totals: { chargedMm: number; freeMm: number } }[]>(
      CITIZEN,
      'GET',
      '/v1/statements',
    )
    // 5.50 kronor a litre, of which there is one in 14 km
    const tax = ((totals.chargedMm + totals.freeMm) / 1e6 / 14) * 5.5
    const kronor = (language: string) =>
      new Intl.NumberFormat(language, { style: 'currency', currency: 'SEK', currencyDisplay: 'narrowSymbol' }).format(
        tax,
      )
    await go(page, `/my/statements/${id}`)
    const row = page.locator('tr', { hasText: 'Tax on petrol' })
    await row
      .filter({ hasText: 'a litre at 14 kilometres a litre' })
      .filter({ hasText: kronor('en') })
      .waitFor()
    await wear(page, LOOKS[3])
    await row
      .filter({ hasText: 'por litro, a 14 kilómetros por litro' })
      .filter({ hasText: kronor('es') })
      .waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('to give no location any more enters a reading first, and is told what holds from now on', async () => {
    const { context, page, faults } = await visit(browser, 'account-0016')
    await go(page, '/my/vehicles')
    await page.locator('.rm-card a').first().click()
    const method = page.locator('form.rm-form', { has: page.getByRole('button', { name: 'Change it' }) })
    await method.getByLabel('Odometer only').check()
    await method.getByRole('button', { name: 'Change it' }).click()
    // Without a reading nobody knows where the miles of the odometer begin.
    await method
      .locator('.govuk-error-summary')
      .filter({ hasText: /reading/ })
      .waitFor()
    await eventually(async () => expect(await method.getByLabel('Odometer only').isChecked()).toBe(true))
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
    await method.getByLabel('Odometer only').check()
    await method.getByRole('button', { name: 'Change it' }).click()
    await page.getByText('Changed from now on').waitFor()
    // It holds at once, and not in this browser alone.
    const [{ method: now }] = await ask<{ method: string }[]>('account-0016', 'GET', '/v1/vehicles')
    expect(now).toBe('odometer')
    await page.reload()
    await eventually(async () => expect(await method.getByLabel('Odometer only').isChecked()).toBe(true))
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })
})
