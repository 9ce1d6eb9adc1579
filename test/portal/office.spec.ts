import { type Browser, type Page } from 'playwright-core'
import { describeInBrowser, flaws, LOOKS, mapColours, openBrowser, portalUrl, settled, visit } from './browser'

// The people who run the demo's pilot: an editor writes a tariff, an approver reads and approves it, an analyst looks at what came of all.
const TARIFF = 'gothenburg-pilot-2026'

/** Every page of a role, and whether a map is on it. */
const PAGES: Readonly<Record<string, readonly (readonly [address: string, isMap?: boolean])[]>> = {
  editor: [
    ['/agency'],
    ['/agency/policies'],
    [`/agency/policies/${TARIFF}`, true],
    [`/agency/policies/${TARIFF}/diff`],
    ['/agency/policies/new', true],
  ],
  agency: [['/agency/disputes'], ['/agency/reviews']],
  analyst: [['/analyst'], ['/analyst/pilot'], ['/analyst/roads', true], ['/analyst/exports']],
}

describeInBrowser('those who run a pilot', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const go = async (page: Page, address: string) => {
    await page.goto(portalUrl() + address)
    await settled(page)
  }
  const tag = (page: Page) => page.locator('.rm-lead .rm-tag').textContent()
  /** The state of a policy, once it is what is waited for. */
  const becomes = async (page: Page, state: string) => {
    await page.locator('.rm-lead .rm-tag', { hasText: new RegExp(`^${state}$`) }).waitFor()
    expect(await tag(page)).toBe(state)
  }

  it.each(LOOKS)(
    'read every page without a flaw, %j',
    async (look) => {
      const found: string[] = []
      for (const [role, pages] of Object.entries(PAGES)) {
        const { context, page, faults } = await visit(browser, role, look)
        for (const [address, isMap] of pages) {
          await go(page, address)
          found.push(...(await flaws(page)).map((flaw) => `${address}: ${flaw}`))
          if (isMap && (await mapColours(page)) < 5) found.push(`${address}: the map is blank`)
        }
        found.push(...faults)
        await context.close()
      }
      expect(found).toEqual([])
    },
    240_000,
  )

  it('write a tariff with a drawn zone, check, compare, backtest, submit, approve and schedule it', async () => {
    const editor = await visit(browser, 'editor')
    const { page } = editor
    await go(page, '/agency/policies/new')
    await page.getByLabel('Name of the policy in addresses').fill('gothenburg-2027')
    await page.getByLabel('Starts at').fill('2027-03-01T00:00:00+01:00')

    // A zone, corner by corner; a click on the last corner ends it.
    await page.getByRole('button', { name: 'Draw a zone' }).click()
    const map = page.locator('.rm-map__canvas').first()
    await map.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await map.boundingBox())!
    const corners = [[-0.2, -0.2], [0.2, -0.2], [0.2, 0.2], [-0.2, 0.2], [-0.2, 0.2]] // prettier-ignore
    for (const [dx, dy] of corners) {
      await page.mouse.move(x + width * (0.5 + dx), y + height * (0.5 + dy))
      await page.waitForTimeout(120)
      await page.mouse.click(x + width * (0.5 + dx), y + height * (0.5 + dy))
      await page.waitForTimeout(350)
    }
    await page.getByLabel('Name of zone new-zone-2').fill('Harbour')
    const json = page.getByLabel('The policy as JSON')
    const document = async () => JSON.parse(await json.inputValue())
    const [ring] = (await document()).zones['new-zone-2'].geometry.coordinates
    expect(ring).toHaveLength(5)

    // A rule for it, in the form; the live check says what is missing, beside the field too.
    await page.getByRole('button', { name: 'Add a rule on top' }).click()
    const rule = page.locator('.rm-rule').first()
    await rule.locator('summary').click()
    await page.locator('.rm-editor__side .rm-notice--warning').waitFor()
    await rule.locator('.govuk-error-message').first().waitFor()
    await rule.getByLabel('Name').fill('Harbour')
    await rule.getByLabel('Add to Where, when and whom').selectOption('zones')
    await rule.getByLabel('In zones').fill('new-zone-2')
    await rule.getByLabel('Per mile', { exact: true }).fill('4.00')
    await page.getByText('Nothing is wrong with it.').waitFor()
    expect((await document()).rules[0]).toMatchObject({
      name: 'Harbour',
      match: { zones: ['new-zone-2'] },
      price: { perMile: '4.00' },
    })

    // The same from the other side: what the document says the form shows, and what is no JSON is said.
    const written = await document()
    await json.fill('{ "v": 1, ')
    await page.locator('#policy-json-error').waitFor()
    await json.fill(JSON.stringify({ ...written, description: 'The harbour costs more.' }))
    expect(await page.getByLabel('Description').inputValue()).toBe('The harbour costs more.')
    await page.getByRole('button', { name: 'Save as a draft' }).click()
    await page.getByText('Say why').first().waitFor()
    await page.getByLabel('Why, for the record').fill('council decision 14/2026')
    await page.getByRole('button', { name: 'Save as a draft' }).click()
    await page.getByRole('link', { name: 'Go to the policy' }).click()

    await becomes(page, 'Draft')
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await becomes(page, 'Checked')

    await go(page, '/agency/policies/gothenburg-2027/diff')
    expect(await page.locator('table').first().textContent()).toContain('Harbour')
    expect(await mapColours(page)).toBeGreaterThan(5)

    await go(page, '/agency/policies/gothenburg-2027/backtest')
    await page.getByRole('button', { name: 'Start a backtest' }).click()
    await page.getByText('Agrees with the books').waitFor({ timeout: 100_000 })
    expect(await page.getByText('to the micro').count()).toBe(1)
    expect(await flaws(page)).toEqual([])

    await go(page, '/agency/policies/gothenburg-2027')
    await becomes(page, 'Backtested')
    await page.getByLabel('Why, for the record').fill('ready')
    await page.getByRole('button', { name: 'Submit for approval' }).click()
    // The harbour takes in all of the centre: whether that is wanted has to be answered.
    const asked = page.getByRole('group', { name: 'To be answered when it is submitted' }).getByRole('textbox')
    await asked.first().waitFor()
    for (const field of await asked.all()) await field.fill('The harbour comes first there.')
    await page.getByRole('button', { name: 'Submit for approval' }).click()
    await becomes(page, 'Waits for approval')
    // Whoever wrote it finds no way to approve it.
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0)
    expect(editor.faults).toEqual([])
    await editor.context.close()

    const approver = await visit(browser, 'approver')
    await go(approver.page, '/agency/policies/gothenburg-2027')
    const approval = approver.page.locator('.rm-card', { has: approver.page.getByRole('button', { name: 'Approve' }) })
    await approval.getByLabel('Why, for the record').fill('as decided')
    await approval.getByRole('button', { name: 'Approve' }).click()
    await becomes(approver.page, 'Approved')
    await approver.page.getByLabel('Why, for the record').fill('published')
    await approver.page.getByRole('button', { name: 'Schedule' }).click()
    await becomes(approver.page, 'Scheduled')
    expect(approver.faults).toEqual([])
    await approver.context.close()
  }, 300_000)

  it('see where charged miles are driven, on the map and in a table', async () => {
    const { context, page, faults } = await visit(browser, 'analyst')
    await go(page, '/analyst/roads')
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(3)
    expect(await mapColours(page)).toBeGreaterThan(20)
    // Vehicles on any road shown are ten or more.
    const vehicles = await page.locator('tbody td:last-child').allTextContents()
    expect(Math.min(...vehicles.map(Number))).toBeGreaterThanOrEqual(10)
    expect(faults).toEqual([])
    await context.close()
  })
})
