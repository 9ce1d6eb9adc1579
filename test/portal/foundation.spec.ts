import { type Browser } from 'playwright-core'
import { englishOn } from './english'
import {
  ask,
  CITIZEN,
  demoToken,
  describeInBrowser,
  eventually,
  flaws,
  flawsInEveryLook,
  follow,
  go,
  LOOKS,
  openBrowser,
  portalUrl,
  settled,
  visit,
  wear,
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
    await eventually(async () =>
      expect(await page.textContent('h1')).toBe(look.language === 'en' ? 'Sign in' : 'Iniciar sesión'),
    )
    await eventually(async () => expect(await page.getAttribute('html', 'lang')).toBe(look.language))
    await eventually(async () => expect(await page.getAttribute('html', 'data-theme')).toBe(look.theme))
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('is told what to do at an address that is none', async () => {
    const { context, page, faults } = await visit(browser, 'agency')
    await page.goto(`${portalUrl()}/agency/nowhere/at/all`)
    await settled(page)
    await eventually(async () => expect(await page.textContent('h1')).toBe('Page not found'))
    expect(await flawsInEveryLook(page)).toEqual([])
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
    await eventually(async () => expect(await page.getByRole('link', { name: 'Go to the start page' }).count()).toBe(1))
    expect(await flawsInEveryLook(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('is told what to do when our side fails, and goes on from there', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    const failing = { status: 500, contentType: 'application/problem+json', body: '{"title":"broken"}' }
    await page.route('**/v1/vehicles', (route) => route.fulfill(failing))
    await go(page, '/my/vehicles')
    await page.getByText('Something went wrong on our side').waitFor()
    expect(await flawsInEveryLook(page)).toEqual([])
    await wear(page, LOOKS[0])
    await page.unroute('**/v1/vehicles')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.locator('.rm-card a').first().waitFor()
    await page.route('**/v1/trips*', (route) => route.fulfill({ ...failing, status: 429 }))
    await go(page, '/my/trips')
    await page.getByText('Too much at once').waitFor()
    await context.close()
  })

  it.each([
    ['en', 'to the list of statements', 'Español', '.'],
    ['es', 'a la lista', 'English', ','],
  ])('reads statements without JavaScript, in %s', async (locale, toList, other, point) => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      viewport: { width: 360, height: 900 },
      locale,
    })
    const page = await context.newPage()
    await page.goto(`${portalUrl()}/enter?token=${demoToken(CITIZEN)}`)
    await page.goto(`${portalUrl()}/my`)
    await page.getByRole('link', { name: toList }).click()
    await page.locator(`html[lang="${locale}"]`).waitFor()
    const list = page.url()
    await page.locator('td a[href*=".html"]').first().click()
    await page.locator(`html[lang="${locale}"] .bill`).waitFor()
    const [bill] = await ask<{ totals: { due: string } }[]>(CITIZEN, 'GET', '/v1/statements')
    const due = (Number(bill.totals.due) / 1e6).toFixed(2).split('.')
    await eventually(async () =>
      expect((await page.locator('.bill').textContent())!.replace(/(?<=\d)[.,](?=\d{3})/g, '')).toContain(
        due.join(point),
      ),
    )
    // In the other language by its address, links and all.
    await page.goto(list)
    await page.getByRole('link', { name: other }).click()
    await page
      .locator(`html:not([lang="${locale}"]) td a[href$="?lang=${locale === 'en' ? 'es' : 'en'}"]`)
      .first()
      .waitFor()
    await context.close()
  })

  it('has no flaw and no English in what a server renders, whoever reads it in which language', async () => {
    const [{ id }] = await ask<{ id: string }[]>(CITIZEN, 'GET', '/v1/statements')
    const flawed: string[] = []
    // Where there is least room for long words, in either language and light.
    for (const look of LOOKS.filter(({ width }) => width === 360)) {
      const { context, page, faults } = await visit(browser, CITIZEN, look)
      const nobody = await visit(browser, null, look)
      for (const [reader, address, status] of [
        [page, '/plain', 200],
        [page, `/v1/statements/${id}.html`, 200],
        [page, '/v1/statements/0123456789abcdef.html', 404],
        [page, '/v1/roads?month=nonsense', 400],
        [page, '/v1/agencies/gothenburg/reviews', 403],
        [nobody.page, '/plain', 401],
        [nobody.page, '/verify', 200],
      ] as const) {
        const answer = await reader.goto(portalUrl() + address)
        await reader.evaluate(`document.querySelectorAll('details').forEach((day) => (day.open = true))`)
        const told = [
          ...(answer!.status() === status ? [] : [`status ${answer!.status()}`]),
          ...((await reader.getAttribute('html', 'lang')) === look.language ? [] : ['another language']),
          ...(answer!.headers().vary?.includes('accept-language') ? [] : ['no Vary']),
          ...(await flaws(reader)),
          ...(look.language === 'es' ? await englishOn(reader) : []),
        ]
        flawed.push(...told.map((flaw) => `${address} ${Object.values(look).join(' ')}: ${flaw}`))
      }
      expect([...faults, ...nobody.faults]).toEqual([])
      await context.close()
      await nobody.context.close()
    }
    expect(flawed).toEqual([])
  }, 60_000)

  it('reads a bill and its PDF in the language that was chosen in the portal, whatever the browser asks for', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    const [statement] = await follow(page, '/my/statements', 'tbody a')
    await wear(page, LOOKS[1])
    const pdf = page.locator('a[href*=".pdf"]')
    const file = await context.request.get(portalUrl() + (await pdf.getAttribute('href')))
    expect((await file.body()).toString('latin1')).toContain('/Lang (es)')
    await page.goto(`${portalUrl()}/v1/statements/${statement.split('/').at(-1)}.html`)
    await page.getByRole('heading', { name: 'Factura por el uso de las vías' }).waitFor()
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
