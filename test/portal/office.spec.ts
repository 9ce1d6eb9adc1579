import { type Browser, type Page } from 'playwright-core'
import {
  ask,
  describeInBrowser,
  eventually,
  flaws,
  flawsInEveryLook,
  go,
  mapColours,
  openBrowser,
  holdTrip,
  settled,
  visit,
} from './browser'
import { showsAllFaults } from './form-faults'

// The people who run the demo's pilot: an editor writes a tariff, an approver reads and approves it, an analyst looks at what came of all.
describeInBrowser('those who run a pilot', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const tag = (page: Page) => page.locator('.rm-lead .rm-tag').textContent()
  /** The state of a policy, once it is what is waited for. */
  const becomes = async (page: Page, state: string) => {
    await page.locator('.rm-lead .rm-tag', { hasText: new RegExp(`^${state}$`) }).waitFor()
    await eventually(async () => expect(await tag(page)).toBe(state))
  }

  it('write a tariff with a drawn zone, check, compare, backtest, submit, approve and schedule it', async () => {
    const editor = await visit(browser, 'editor')
    const { page } = editor
    await go(page, '/agency/policies/new')
    await page.getByLabel('Name of the policy in addresses').fill('gothenburg-2027')
    await page.getByLabel('Starts at').fill('2027-03-01T00:00:00+01:00')

    // A zone, corner by corner; the enter key ends it.
    await page.getByRole('button', { name: 'Draw a zone' }).click()
    const map = page.locator('.rm-map__canvas').first()
    await map.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await map.boundingBox())!
    const frame = () => page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
    for (const [dx, dy] of [
      [-0.2, -0.2],
      [0.2, -0.2],
      [0.2, 0.2],
      [-0.2, 0.2],
    ]) {
      // prettier-ignore
      await page.mouse.move(x + width * (0.5 + dx), y + height * (0.5 + dy))
      await frame()
      await page.mouse.click(x + width * (0.5 + dx), y + height * (0.5 + dy))
      await frame()
    }
    await page.locator('.rm-map canvas').first().focus()
    await page.keyboard.press('Enter')
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
    await eventually(async () =>
      expect((await document()).rules[0]).toMatchObject({
        name: 'Harbour',
        match: { zones: ['new-zone-2'] },
        price: { perMile: '4.00' },
      }),
    )

    // The same from the other side: what the document says the form shows, and what is no JSON is said.
    const written = await document()
    await json.fill('{ "v": 1, ')
    await page.locator('#policy-json-error').waitFor()
    await json.fill(JSON.stringify({ ...written, description: 'The harbour costs more.' }))
    await eventually(async () =>
      expect(await page.getByLabel('Description').inputValue()).toBe('The harbour costs more.'),
    )
    await page.getByRole('button', { name: 'Save as a draft' }).click()
    await page.getByText('Say why').first().waitFor()
    await page.getByLabel('Why, for the record').fill('council decision 14/2026')
    await page.getByRole('button', { name: 'Save as a draft' }).click()
    await page.getByRole('link', { name: 'Go to the policy' }).click()

    await becomes(page, 'Draft')
    await page.getByRole('button', { name: 'Check', exact: true }).click()
    await becomes(page, 'Checked')

    await go(page, '/agency/policies/gothenburg-2027/diff')
    await eventually(async () => expect(await page.locator('table').first().textContent()).toContain('Harbour'))
    await eventually(async () => expect(await mapColours(page)).toBeGreaterThan(5))

    await go(page, '/agency/policies/gothenburg-2027/backtest')
    await page.getByRole('button', { name: 'Start a backtest' }).click()
    await page.getByText('Agrees with the books').waitFor({ timeout: 100_000 })
    await eventually(async () => expect(await page.getByText('to the micro').count()).toBe(1))
    expect(await flaws(page)).toEqual([])

    await go(page, '/agency/policies/gothenburg-2027')
    await becomes(page, 'Backtested')
    const submission = page.locator('form.rm-form', { has: page.getByRole('button', { name: 'Submit for approval' }) })
    await showsAllFaults(page, submission, { faults: 1 })
    await page.getByLabel('Why, for the record').fill('ready')
    await page.getByRole('button', { name: 'Submit for approval' }).click()
    // The harbour takes in all of the centre: whether that is wanted has to be answered.
    const asked = page.getByRole('group', { name: 'To be answered when it is submitted' }).getByRole('textbox')
    await asked.first().waitFor()
    const questions = await asked.count()
    // Each of them is told of at once, and what was typed is still there.
    await showsAllFaults(page, submission, { typed: { reason: 'ready' }, faults: questions })
    await showsAllFaults(page, submission, { typed: { reason: '' }, faults: questions + 1 })
    await page.getByLabel('Why, for the record').fill('ready')
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
    await showsAllFaults(approver.page, approval.locator('form'), { typed: { reason: ' ' }, faults: 1 })
    await approval.getByLabel('Why, for the record').fill('as decided')
    await approval.getByRole('button', { name: 'Approve' }).click()
    await becomes(approver.page, 'Approved')
    await approver.page.getByLabel('Why, for the record').fill('published')
    await approver.page.getByRole('button', { name: 'Schedule' }).click()
    await becomes(approver.page, 'Scheduled')
    expect(approver.faults).toEqual([])
    await approver.context.close()
  }, 300_000)

  it('decide a question: all faults at once, what was typed is kept, and the citizen reads the answer', async () => {
    const asker = 'account-0004'
    const [bill] = await ask<{ id: string }[]>(asker, 'GET', '/v1/statements')
    const { journeys } = await ask<{ journeys: { trip: string }[] }>(asker, 'GET', `/v1/statements/${bill.id}.json`)
    const questioned = await ask<{ id: string }>(asker, 'POST', `/v1/statements/${bill.id}/disputes`, {
      trip: journeys[0].trip,
      reason: 'not-driven',
      text: 'The van stood in the yard that day.',
    })
    const { context, page, faults } = await visit(browser, 'agency')
    await go(page, '/agency/disputes')
    await page.locator(`tbody a[href$="${questioned.id}"]`).click()
    await settled(page)
    await eventually(async () =>
      expect(await page.locator('.rm-said').textContent()).toContain('The van stood in the yard that day.'),
    )
    await page.getByRole('button', { name: 'Decide' }).click()
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
    await page.getByLabel('Why, as the citizen will read it').fill('The workshop confirms it.')
    await page.getByRole('button', { name: 'Decide' }).click()
    await eventually(async () =>
      expect(await page.locator('.govuk-error-summary li').allTextContents()).toEqual(['Choose one']),
    )
    await eventually(async () =>
      expect(await page.getByLabel('Why, as the citizen will read it').inputValue()).toBe('The workshop confirms it.'),
    )
    await page.getByLabel('Uphold: it is corrected and given back').check()
    await page.getByLabel('What was really so').selectOption('not-driven')
    expect(await flaws(page)).toEqual([])
    await page.getByRole('button', { name: 'Decide' }).click()
    await page.getByText('Decided. The citizen sees it').waitFor()
    expect(faults).toEqual([])
    await context.close()

    const citizen = await visit(browser, asker)
    await go(citizen.page, '/my/disputes')
    await eventually(async () =>
      expect(await citizen.page.locator('article').first().textContent()).toContain('The workshop confirms it.'),
    )
    await citizen.context.close()
  })

  it('decide a trip that is held because its odometer shows something else', async () => {
    await holdTrip('account-0005', 'obe-0005')
    const { context, page, faults } = await visit(browser, 'agency')
    await go(page, '/agency/reviews')
    await eventually(async () => expect(await page.locator('tbody tr').first().textContent()).toMatch(/[-−]\d/))
    await page.locator('tbody button').first().click()
    await page.getByRole('button', { name: 'Decide' }).click()
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
    await page.getByLabel('Void: its miles count and cost nothing').check()
    await page.getByLabel('Why, for the record').fill('the odometer was exchanged that day')
    expect(await flaws(page)).toEqual([])
    await page.getByRole('button', { name: 'Decide' }).click()
    await page.getByText(/^Trip .* is decided\.$/).waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('see how the arms of the trial changed, in every zone too, with intervals', async () => {
    const { context, page, faults } = await visit(browser, 'analyst')
    await go(page, '/analyst/pilot')
    await page.getByRole('button', { name: 'Compare' }).click()
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(2))
    await page.getByLabel('Baseline months').fill('2026-09')
    await page.getByLabel('Pilot months').fill('2026-10')
    await page.getByLabel('Also compare by').selectOption('zone')
    await page.getByRole('button', { name: 'Compare' }).click()
    const arms = page.getByRole('table').first()
    await arms.waitFor()
    await settled(page)
    await eventually(async () => expect(await arms.locator('tbody tr').allTextContents()).toHaveLength(2))
    await eventually(async () => expect(await arms.locator('tbody').textContent()).toMatch(/milder10.*\(.* to .*\)/))
    const zones = page.getByRole('table').nth(1)
    await eventually(async () => expect(await zones.locator('tbody').textContent()).toMatch(/milder10.*\(.* to .*\)/))
    expect(await flawsInEveryLook(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  it('ask for a file, see how far it is, and fetch it', async () => {
    const { context, page, faults } = await visit(browser, 'analyst')
    await go(page, '/analyst/exports')
    // What the demo released.
    await eventually(async () => expect(await page.locator('tbody a[download]').count()).toBeGreaterThanOrEqual(4))
    await page.locator('select').first().selectOption('accuracy')
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    await eventually(async () => expect(await page.locator('.govuk-error-message').count()).toBe(1))
    await page.getByLabel('Month').first().fill('2026-10')
    await page.getByRole('button', { name: 'Ask', exact: true }).click()
    const row = page.locator('tbody tr', { hasText: 'accuracy' }).first()
    await row.getByText('ready').waitFor()
    const [file] = await Promise.all([page.waitForEvent('download'), row.locator('a[download]').first().click()])
    expect(file.suggestedFilename()).toBe('gothenburg-2026-10-accuracy.csv')
    expect(faults).toEqual([])
    await context.close()
  })

  it('see where charged miles are driven, on the map and in a table', async () => {
    const { context, page, faults } = await visit(browser, 'analyst')
    await go(page, '/analyst/roads')
    await eventually(async () => expect(await page.locator('tbody tr').count()).toBeGreaterThan(3))
    await eventually(async () => expect(await mapColours(page)).toBeGreaterThan(20))
    // Vehicles on any road shown are ten or more.
    const vehicles = await page.locator('tbody td:last-child').allTextContents()
    expect(Math.min(...vehicles.map(Number))).toBeGreaterThanOrEqual(10)
    expect(faults).toEqual([])
    await context.close()
  })
})
