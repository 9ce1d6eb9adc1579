import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Browser, type Page } from 'playwright-core'
import { en as agencyEn } from '../../apps/web/src/agency/words/en'
import { en as analystEn } from '../../apps/web/src/analyst/words/en'
import { en as citizenEn } from '../../apps/web/src/citizen/words/en'
import { ask, describeInBrowser, go, holdTrip, openBrowser, visit } from './browser'
import { showsAllFaults, type Wrong } from './form-faults'

// Every form of the portal, submitted empty or filled wrongly. The list of forms is read from the sources: one without a row here fails.

const TARIFF = 'gothenburg-pilot-2026'
/** Somebody whom no other story is about. */
const SOMEBODY = 'account-0018'
const DISPUTED = 'account-0013'

interface FormToFill extends Wrong {
  readonly who: string
  readonly at: string | (() => Promise<string>)
  /** What is done on the page before the form is submitted. */
  readonly act?: (page: Page) => Promise<unknown>
}
/** A form without a field can't be filled wrongly; one that takes a long way to come to is driven in the story that goes it. */
type Row = FormToFill | 'has no field' | 'office.spec.ts'

interface Bill {
  readonly id: string
  readonly journeys: readonly { readonly trip: string }[]
}
const billOf = async (account: string): Promise<Bill> => {
  const [{ id }] = await ask<{ id: string }[]>(account, 'GET', '/v1/statements')
  return { id, journeys: (await ask<Bill>(account, 'GET', `/v1/statements/${id}.json`)).journeys }
}
let asked: Promise<string> | undefined
/** A question about a trip, asked once for all forms that need one. */
const question = () =>
  (asked ??= (async () => {
    const bill = await billOf(DISPUTED)
    const about = { trip: bill.journeys[0].trip, reason: 'not-driven', text: 'The van stood in the yard.' }
    return (await ask<{ id: string }>(DISPUTED, 'POST', `/v1/statements/${bill.id}/disputes`, about)).id
  })())
const vehicleOf = async (account: string) => {
  const [{ vehicle }] = await ask<{ vehicle: string }[]>(account, 'GET', '/v1/vehicles')
  return `/my/vehicles/${vehicle}`
}
const unfold = (page: Page) =>
  page
    .locator('summary', { hasText: /budget|Roll back/ })
    .first()
    .click()

const FORMS: Readonly<Record<string, Row>> = {
  'citizen/dispute-form.tsx dispute.send': {
    who: SOMEBODY,
    at: async () => `/my/trips/${(await billOf(SOMEBODY)).journeys[0].trip}/question`,
    typed: { text: 'x' },
    faults: 2,
  },
  'citizen/disputes.tsx disputes.noteSend': {
    who: DISPUTED,
    at: async () => (await question()) && '/my/disputes',
    typed: { text: '  ' },
    faults: 1,
  },
  'citizen/overview.tsx budget.save': {
    who: SOMEBODY,
    at: '/my',
    act: unfold,
    typed: { amount: '-3', alertPercent: '5' },
    faults: 2,
  },
  'citizen/pay.tsx pay.now': 'has no field',
  'citizen/pay.tsx payments.giveBack': 'has no field',
  'citizen/pay.tsx wallet.planSave': { who: SOMEBODY, at: '/my/pay', typed: { floor: 'x', topUp: '0' }, faults: 2 },
  'citizen/pay.tsx wallet.topUpNow': { who: SOMEBODY, at: '/my/pay', typed: { amount: 'much' }, faults: 1 },
  'citizen/privacy.tsx erase.button': { who: SOMEBODY, at: '/my/privacy', faults: 1 },
  'citizen/quote.tsx quote.ask': {
    who: SOMEBODY,
    at: '/my/quote',
    typed: { from: 'here', to: 'there', at: '' },
    faults: 3,
  },
  'citizen/surveys.tsx surveys.send': { who: SOMEBODY, at: '/my', faults: 1 },
  'citizen/vehicle.tsx method.choose': {
    who: SOMEBODY,
    at: () => vehicleOf(SOMEBODY),
    act: (page) =>
      page
        .locator('input[value=permit]')
        .check()
        .then(() => page.locator('[name=days]').waitFor()),
    typed: { days: '0' },
    faults: 1,
  },
  'citizen/vehicle.tsx odometer.send': {
    who: SOMEBODY,
    at: () => vehicleOf(SOMEBODY),
    typed: { mm: 'many', at: '' },
    faults: 3,
  },
  'agency/backtest.tsx backtest.start': {
    who: 'editor',
    at: `/agency/policies/${TARIFF}/backtest`,
    typed: { months: 'autumn' },
    faults: 1,
  },
  'agency/dispute.tsx disputes.send': {
    who: 'agency',
    at: async () => `/agency/disputes/${await question()}`,
    act: async (page) => {
      await page.getByLabel('Uphold: it is corrected and given back').check()
      await page.getByLabel('What was really so').selectOption('exempt')
    },
    typed: { exempt: ' ', text: '' },
    faults: 2,
  },
  'agency/editor/index.tsx editor.save': {
    who: 'editor',
    at: '/agency/policies/new',
    typed: { reason: '' },
    faults: 1,
  },
  'agency/next-step.tsx label': 'office.spec.ts',
  'agency/next-step.tsx policy.check': 'has no field',
  'agency/next-step.tsx policy.rollback': {
    who: 'editor',
    at: `/agency/policies/${TARIFF}`,
    act: unfold,
    typed: { policy: 'No Name!', reason: ' ' },
    faults: 3,
  },
  'agency/next-step.tsx policy.submit': 'office.spec.ts',
  'agency/reviews.tsx reviews.send': {
    who: 'agency',
    at: async () => {
      await holdTrip('account-0014', 'obe-0014')
      return '/agency/reviews'
    },
    act: (page) => page.locator('tbody button').first().click(),
    typed: { reason: 'x' },
    faults: 2,
  },
  'analyst/exports.tsx exports.send': { who: 'analyst', at: '/analyst/exports', typed: { period: 'soon' }, faults: 1 },
  'analyst/pilot.tsx pilot.ask': {
    who: 'analyst',
    at: '/analyst/pilot',
    typed: { baseline: 'x', pilot: '2026-13', control: ' ' },
    faults: 3,
  },
}

const WEB = resolve(__dirname, '../../apps/web/src')
const WORDS: Readonly<Record<string, unknown>> = { citizen: citizenEn, agency: agencyEn, analyst: analystEn }

/** The forms of the sources: where they are, and by what words they are sent. */
const written = readdirSync(WEB, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.tsx'))
  .flatMap((file) =>
    [
      ...readFileSync(join(WEB, file), 'utf8').matchAll(
        /<(?:Form\b[^>]*?\bsubmit=\{(?:t\('([\w.]+)'|(\w+)\})|form\b)/g,
      ),
    ].map(([, key, variable]) => `${file} ${key ?? variable ?? 'without Form'}`),
  )
  .filter((name) => name !== 'shared/form.tsx without Form')

describe('the forms of the portal', () => {
  it('are all in this table, each made of Form', () => {
    expect([...written].sort()).toEqual(Object.keys(FORMS).sort())
  })
})

describeInBrowser('a form that is filled wrongly', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const byPerson = new Map<string, [name: string, form: FormToFill][]>()
  for (const [name, row] of Object.entries(FORMS))
    if (typeof row === 'object') byPerson.set(row.who, [...(byPerson.get(row.who) ?? []), [name, row]])

  it.each([...byPerson])(
    'tells %s all faults at once, keeps what was typed and sends nothing',
    async (who, forms) => {
      const { context, page, faults } = await visit(browser, who)
      for (const [name, { at, act, ...wrong }] of forms) {
        await go(page, typeof at === 'string' ? at : await at())
        await act?.(page)
        const [file, key] = name.split(' ')
        const label = key
          .split('.')
          .reduce<unknown>((words, part) => (words as Record<string, unknown>)[part], WORDS[file.split('/')[0]])
        const form = page.locator('form.rm-form', {
          has: page.getByRole('button', { name: String(label), exact: true }),
        })
        await showsAllFaults(page, form.first(), wrong).catch((error: Error) => {
          throw Object.assign(error, { message: `${name}: ${error.message}` })
        })
      }
      expect(faults).toEqual([])
      await context.close()
    },
    120_000,
  )
})
