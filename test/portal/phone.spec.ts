import { type Browser } from 'playwright-core'
import { describeInBrowser, eventually, openBrowser, portalUrl, realWay, settled, visit } from './browser'

describeInBrowser("a citizen's telephone", () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('is a device: it drives, keeps what it can not send, shows what the trip comes to, and the trip arrives', async () => {
    const { context, page, faults } = await visit(browser, 'account-0003')
    await context.grantPermissions(['geolocation'], { origin: portalUrl() })
    const way = (await realWay('account-0003', [11.9746, 57.7089], [11.99, 57.69], 14)).slice(0, 26)
    await page.goto(`${portalUrl()}/my/vehicles`)
    await page.locator('.rm-card a').first().click()
    await page.getByRole('link', { name: 'Use this phone as the device' }).click()
    await context.setGeolocation({ longitude: way[0][0], latitude: way[0][1], accuracy: 5 })
    await page.getByRole('button', { name: 'Start recording' }).click()
    await page.getByRole('button', { name: 'End the trip' }).waitFor()
    const fixesFrom = async () => Number(await page.locator('[data-fixes]').getAttribute('data-fixes'))
    for (const [i, [longitude, latitude]] of way.entries()) {
      // Some of it in a tunnel: what is recorded there waits.
      if (i === 8) await context.setOffline(true)
      if (i === 20) await context.setOffline(false)
      await context.setGeolocation({ longitude, latitude, accuracy: 5 })
      await page.waitForTimeout(1_000)
    }
    await eventually(async () => expect(await fixesFrom()).toBeGreaterThan(15))
    // The charge so far, of a trip that has not ended.
    await page.locator('.rm-figure__value').first().filter({ hasText: /\d/ }).waitFor({ timeout: 30_000 })
    await page.getByRole('button', { name: 'End the trip' }).click()
    await page.getByText('It is all with us').waitFor()
    await eventually(async () => expect(await page.locator('[data-waiting]').getAttribute('data-waiting')).toBe('0'))
    for (let tries = 0; tries < 30 && (await page.locator('tbody a[href*="/my/trips/"]').count()) === 0; tries++) {
      await page.waitForTimeout(1_000)
      await page.goto(`${portalUrl()}/my/trips`)
      await settled(page)
    }
    await page.locator('tbody a').first().click()
    await settled(page)
    await eventually(async () =>
      expect(await page.locator('table').nth(1).locator('tbody tr').count()).toBeGreaterThan(0),
    )
    expect(faults.filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([])
    await context.close()
  })
})
