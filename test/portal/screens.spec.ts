import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Browser, type Page } from 'playwright-core'
import {
  ask,
  CITIZEN,
  describeInBrowser,
  follow,
  go,
  holdTrip,
  LOOKS,
  openBrowser,
  portalUrl,
  settled,
  visit,
  wear,
} from './browser'

// `npm run docs:screens` writes docs/screens from the demo's data; SCREENS_ALL=FOLDER draws every page in every look, whole, to be
// looked at.

const ALL = process.env.SCREENS_ALL
const OUT = ALL ?? resolve(__dirname, '../../docs/screens')
const isAsked = process.env.npm_lifecycle_event === 'docs:screens' || ALL !== undefined

const PUBLISHED = 'gothenburg-pilot-2026'
const DRAFT = 'gothenburg-2027'

/** Where each picture is, and what is done there before it is taken. */
type Pictures = Readonly<Record<string, string | readonly [address: string, act: (page: Page) => Promise<unknown>]>>
const centre = (page: Page, selector: string) =>
  page.locator(selector).first().evaluate('(node) => node.scrollIntoView({ block: "center" })')
const submit = (page: Page) => page.locator('main form button[type=submit]').first().click()

;(isAsked ? describeInBrowser : describe.skip)('screens', () => {
  let browser: Browser
  beforeAll(async () => {
    mkdirSync(OUT, { recursive: true })
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const draw = async (who: string | null, room: string, pictures: Pictures) => {
    const { context, page, faults } = await visit(browser, who)
    for (const [name, where] of Object.entries(pictures)) {
      const [address, act] = typeof where === 'string' ? [where, undefined] : where
      if (address.startsWith('/verify')) await page.goto(portalUrl() + address)
      else await go(page, address)
      // The last picture may have been of another look.
      if (ALL && !address.startsWith('/verify')) await wear(page, LOOKS[0])
      if (act) {
        await act(page)
        await settled(page)
      }
      const shoot = (end: string) =>
        page.screenshot({ path: `${OUT}/${room}-${name}${end}.png`, fullPage: Boolean(ALL) })
      if (!ALL || address.startsWith('/verify')) await shoot('')
      else
        for (const look of LOOKS) {
          await wear(page, look)
          // Letters of a map fade in.
          await page.waitForTimeout(300)
          await shoot(`-${look.theme}-${look.width}-${look.language}`)
        }
    }
    expect(faults).toEqual([])
    await context.close()
  }

  it('of a visitor', () => draw(null, 'visitor', { 'sign-in': '/', verify: '/verify' }), 120_000)

  it('of a citizen', async () => {
    const { context, page } = await visit(browser, CITIZEN)
    const [statement, day, trip] = await follow(
      page,
      '/my/statements',
      'tbody a',
      'tr:nth-child(3) a[href*="/my/statements/"][href*="2026-10-"]',
      'a[href*="/my/trips/"]',
    )
    await context.close()
    await ask(CITIZEN, 'POST', `/v1/statements/${statement.split('/').at(-1)}/disputes`, {
      trip: trip.split('/').at(-1),
      reason: 'wrong-road',
      text: 'I took the road along the river.',
    })
    await draw(CITIZEN, 'citizen', {
      overview: '/my',
      statements: '/my/statements',
      statement,
      check: [
        statement,
        async (page) => {
          await page.getByRole('button', { name: 'Check this bill now' }).click()
          await page.locator('.rm-notice--success').scrollIntoViewIfNeeded()
        },
      ],
      day,
      trip: [trip, (page) => centre(page, '.rm-map')],
      question: [`${trip}/question`, submit],
      trips: '/my/trips?month=2026-10',
      pay: '/my/pay',
      vehicles: '/my/vehicles',
      vehicle: '/my/vehicles/vehicle-0001',
      phone: '/my/vehicles/vehicle-0001/phone',
      quote: [
        '/my/quote',
        async (page) => {
          await page.locator('input[name="from"]').fill('57.7089, 11.9746')
          await page.locator('input[name="to"]').fill('57.6730, 12.0100')
          await submit(page)
          await page.locator('table').first().waitFor()
        },
      ],
      disputes: '/my/disputes',
      privacy: '/my/privacy',
    })
  }, 400_000)

  it('of an agency', async () => {
    await holdTrip('account-0005', 'obe-0005')
    const [{ id }] = await ask<{ id: string }[]>('agency', 'GET', '/v1/disputes')
    const drafts = '/v1/agencies/gothenburg/drafts'
    const { document } = await ask<{ document: { rules: object[] } }>('editor', 'GET', `${drafts}/${PUBLISHED}`)
    const rules = document.rules.map((rule) =>
      'id' in rule && rule.id === 'base' ? { ...rule, price: { perMile: '1.80' } } : rule,
    )
    const draft = { ...document, id: DRAFT, name: 'Gothenburg 2027', startsAt: '2027-03-01T00:00:00+01:00', rules }
    await ask('editor', 'PUT', `${drafts}/${DRAFT}?reason=budget`, draft)
    await ask('editor', 'POST', `${drafts}/${DRAFT}/check`)
    await ask('editor', 'POST', `${drafts}/${DRAFT}/backtests`, {})
    for (let tries = 0; tries < 200; tries++) {
      const tests = await ask<{ report: unknown }[]>('editor', 'GET', `${drafts}/${DRAFT}/backtests`)
      if (tests.every(({ report }) => report)) break
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    await draw('editor', 'agency', {
      dashboard: '/agency',
      policies: '/agency/policies',
      policy: `/agency/policies/${PUBLISHED}`,
      editor: `/agency/policies/${DRAFT}/edit`,
      diff: `/agency/policies/${DRAFT}/diff`,
      backtest: `/agency/policies/${DRAFT}/backtest`,
    })
    await draw('agency', 'agency', {
      disputes: '/agency/disputes',
      dispute: [`/agency/disputes/${id}`, (page) => page.getByLabel('Uphold: it is corrected and given back').check()],
      reviews: ['/agency/reviews', (page) => page.locator('tbody button').first().click()],
      books: '/agency/books',
    })
  }, 400_000)

  it(
    'of an analyst',
    () =>
      draw('analyst', 'analyst', {
        results: '/analyst',
        pilot: [
          '/analyst/pilot',
          async (page) => {
            await page.getByLabel('Baseline months').fill('2026-09')
            await page.getByLabel('Pilot months').fill('2026-10')
            await page.getByLabel('Also compare by').selectOption('zone')
            await submit(page)
            await page.locator('table').nth(1).waitFor()
            await centre(page, 'main table')
          },
        ],
        roads: '/analyst/roads',
        exports: '/analyst/exports',
      }),
    300_000,
  )
})
