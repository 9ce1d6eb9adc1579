import { type Browser } from 'playwright-core'
import { describeInBrowser, flaws, LOOKS, openBrowser, portalUrl, settled, visit } from './browser'

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
