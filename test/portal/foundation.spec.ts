import { type Browser } from 'playwright-core'
import {
  ask,
  CITIZEN,
  demoToken,
  describeInBrowser,
  flaws,
  go,
  LOOKS,
  openBrowser,
  portalUrl,
  settled,
  visit,
} from './browser'

describeInBrowser('every visitor', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it.each(LOOKS)('is asked to sign in, %j', async (look) => {
    const { context, page, faults } = await visit(browser, null, look)
    await page.goto(portalUrl())
    await settled(page)
    expect(await page.textContent('h1')).toBe(look.language === 'en' ? 'Sign in' : 'Iniciar sesión')
    expect(await page.getAttribute('html', 'lang')).toBe(look.language)
    expect(await page.getAttribute('html', 'data-theme')).toBe(look.theme)
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('is told what to do at an address that is none', async () => {
    const { context, page, faults } = await visit(browser, 'agency')
    await page.goto(`${portalUrl()}/agency/nowhere/at/all`)
    await settled(page)
    expect(await page.textContent('h1')).toBe('Page not found')
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it.each([
    ['what is not for them', 'editor', '/agency/disputes', 'This is not for you'],
    ['what is nobody’s or another’s', CITIZEN, '/my/statements/0123456789abcdef', 'Page not found'],
  ])('is told what to do about %s', async (_, who, address, title) => {
    const { context, page, faults } = await visit(browser, who)
    await go(page, address)
    await page.getByText(title).first().waitFor()
    expect(await page.getByRole('link', { name: 'Go to the start page' }).count()).toBe(1)
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('is told what to do when our side fails, and goes on from there', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    const failing = { status: 500, contentType: 'application/problem+json', body: '{"title":"broken"}' }
    await page.route('**/v1/vehicles', (route) => route.fulfill(failing))
    await go(page, '/my/vehicles')
    await page.getByText('Something went wrong on our side').waitFor()
    expect(await flaws(page)).toEqual([])
    await page.unroute('**/v1/vehicles')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('.rm-card a').first().waitFor()
    await page.route('**/v1/trips*', (route) => route.fulfill({ ...failing, status: 429 }))
    await go(page, '/my/trips')
    await page.getByText('Too much at once').waitFor()
    await context.close()
  })

  it('reads statements without JavaScript', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 360, height: 900 } })
    const page = await context.newPage()
    await page.goto(`${portalUrl()}/enter?token=${demoToken(CITIZEN)}`)
    await page.goto(`${portalUrl()}/my`)
    await page.getByRole('link', { name: 'to the list of statements' }).click()
    await page.getByRole('link', { name: 'statement', exact: true }).first().click()
    const [bill] = await ask<{ totals: { due: string } }[]>(CITIZEN, 'GET', '/v1/statements')
    expect(await page.locator('main, body').first().textContent()).toContain(
      (Number(bill.totals.due) / 1e6).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ','),
    )
    await context.close()
  })

  it('gets scripts that never change, compressed, under a policy without exceptions', async () => {
    const answer = await fetch(portalUrl())
    const policy = answer.headers.get('content-security-policy')!
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await answer.text())![1]
    const file = await fetch(portalUrl() + script, { headers: { 'accept-encoding': 'br' } })
    expect(file.headers.get('cache-control')).toContain('immutable')
    expect(file.headers.get('content-encoding')).toBe('br')
  })
})
