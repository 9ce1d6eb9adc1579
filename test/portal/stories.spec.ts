import { text } from 'node:stream/consumers'
import { type Browser, type Page } from 'playwright-core'
import {
  CITIZEN,
  describeInBrowser,
  eventually,
  flaws,
  go,
  LOOKS,
  openBrowser,
  portalUrl,
  settled,
  visit,
  wear,
} from './browser'

const SQUARE = [
  [11.95, 57.7],
  [11.96, 57.7],
  [11.96, 57.71],
  [11.95, 57.71],
  [11.95, 57.7],
]
const geojson = (name: string, content: unknown) => ({
  name,
  mimeType: 'application/geo+json',
  buffer: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
})

describeInBrowser('people', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('import a zone, and read in Spanish what is wrong with the tariff', async () => {
    const { context, page, faults } = await visit(browser, 'editor')
    await go(page, '/agency/policies/new')
    const file = page.locator('input[type=file]')
    await file.setInputFiles(geojson('notes.geojson', 'no zone at all'))
    await page.getByText('This file holds no polygon that can be read as GeoJSON').waitFor()
    await file.setInputFiles(
      geojson('harbour.geojson', {
        type: 'FeatureCollection',
        features: [
          { type: 'Feature', properties: { name: 'Harbour' }, geometry: { type: 'Polygon', coordinates: [SQUARE] } },
        ],
      }),
    )
    const json = page.getByLabel('The policy as JSON')
    await page
      .getByLabel(/^Name of zone/)
      .nth(1)
      .waitFor()
    await eventually(async () =>
      expect(Object.values(JSON.parse(await json.inputValue()).zones)).toContainEqual(
        expect.objectContaining({ geometry: { type: 'Polygon', coordinates: [SQUARE] } }),
      ),
    )
    const broken = JSON.parse(await json.inputValue())
    broken.currency = 'kronor'
    await wear(page, LOOKS[3])
    await page.getByLabel('La tarifa como JSON').fill(JSON.stringify(broken))
    await page.getByText('se esperaba un código de moneda como USD').first().waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('take their data with them, as tracks and as ways for a map', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    await go(page, '/my/privacy')
    const fetched = async (name: string): Promise<string> => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
      return text(await download.createReadStream())
    }
    expect(await fetched('Tracks (GPX)')).toMatch(/^<\?xml[^]*<gpx [^]*<trk>/)
    expect(JSON.parse(await fetched('Ways for a map (GeoJSON)'))).toMatchObject({ type: 'FeatureCollection' })
    await context.close()
  })

  it('check a bill on a page of their language, without signing in', async () => {
    for (const [look, title, refusal] of [
      [LOOKS[0], 'Check a statement', 'Choose the statement and the policies first.'],
      [LOOKS[3], 'Comprobar una factura', 'Elija primero la factura y las políticas.'],
    ] as const) {
      const { context, page, faults } = await visit(browser, null, look)
      await page.goto(`${portalUrl()}/verify`)
      await eventually(async () => expect(await page.locator('h1').textContent()).toBe(title))
      await page.locator('button').click()
      await page.getByText(refusal).waitFor()
      expect(await flaws(page)).toEqual([])
      expect(faults).toEqual([])
      await context.close()
    }
  })

  it('have where they drove destroyed, once they say that they are sure', async () => {
    const { context, page, faults } = await visit(browser, 'account-0009')
    await go(page, '/my/privacy')
    const button = page.getByRole('button', { name: 'Destroy it' })
    await button.click()
    await eventually(async () =>
      expect(await page.locator('.govuk-error-summary li').allTextContents()).toEqual(['Say that you are sure']),
    )
    await page.getByLabel('I am sure: destroy where I drove').check()
    await button.click()
    await page.getByText('It is being destroyed.').waitFor()
    expect(await flaws(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('roll a policy back: a new draft that says what it said', async () => {
    const { context, page, faults } = await visit(browser, 'editor')
    await go(page, '/agency/policies')
    await page.locator('.rm-timeline__item--in-force').getByRole('link').first().click()
    await settled(page)
    await page.getByText('Roll back to this policy').first().click()
    const button = page.getByRole('button', { name: 'Roll back to this policy' })
    await button.click()
    await eventually(async () => expect(await page.locator('.govuk-error-summary li').count()).toBe(3))
    await page.getByLabel('Name of the new version').fill('back-again')
    await page.getByLabel('Starts on').fill('2027-06-01')
    await page.getByLabel('Why, for the record').last().fill('the new one charged the harbour twice')
    await button.click()
    await page.waitForURL(/\/agency\/policies\/back-again$/)
    await settled(page)
    await eventually(async () =>
      expect(await page.locator('main').textContent()).toContain('the new one charged the harbour twice'),
    )
    expect(faults).toEqual([])
    await context.close()
  })

  it('go from the first page to a trip of a statement by the keyboard alone', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    await go(page, '/my')
    for (const [wanted, where] of [
      [/^Statements$/, '/my/statements'],
      [/^October 2026$/, '/my/statements/'],
    ] as const) {
      await tabTo(page, wanted)
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => url.pathname.startsWith(where))
      await settled(page)
    }
    await eventually(async () => expect(await page.locator('h1').textContent()).toBe('Statement of October 2026'))
    await context.close()
  })
})

/** Goes on by the tab key until what has the focus, and shows that it has, is called so. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    const [called, isShown] = (await page.evaluate(`(() => {
      const { textContent } = document.activeElement
      const { outlineStyle, boxShadow, backgroundColor } = getComputedStyle(document.activeElement)
      return [textContent.trim(), outlineStyle !== 'none' || boxShadow !== 'none' || backgroundColor !== 'rgba(0, 0, 0, 0)']
    })()`)) as [string, boolean]
    if (!name.test(called)) continue
    expect(isShown).toBe(true)
    return
  }
  throw new Error(`no way to ${name} by the tab key`)
}
