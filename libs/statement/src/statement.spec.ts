import fc from 'fast-check'
import { parseOrExplain, statementSchema, type Statement } from '#contracts'
import { canonical, micros, MILE_MM } from '#kernel'
import { balances, statementTransfer } from '#ledger'
import { draftStatement, isAdjustment, statementDigest, verifyStatement, type StatementInput } from '#statement'
import { creditsOf, october, octoberInput, TARIFF, totalOf, tripOf } from './month.fixture'

const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length })

describe('a drafted statement', () => {
  const input = octoberInput()
  const statement = october()
  const { totals } = statement

  it('adds up by hand', () => {
    // 2 mi at 1.8 c, 1 mi free, 1.5 mi at 24 c twice in one day, of which 50 c are asked at most:
    // 0.036 + 0.36 + 0.36 - 0.22 = 0.536 -> 0.54, so rounding adds 0.004.
    const day = Date.UTC(2026, 9, 6, 6)
    const trips = [
      tripOf('a', 'v1', day, 20, { everywhere: 2, 'private-land': 1, 'centre-peak': 1.5 }),
      tripOf('b', 'v1', day + 3_600_000, 9, { 'centre-peak': 1.5 }),
    ]
    const { totals } = draftStatement({ ...input, trips, capCredits: creditsOf(trips) })
    expect(totals).toMatchObject({
      trips: 2,
      chargedMm: 5 * MILE_MM,
      freeMm: MILE_MM,
      freeByReason: [{ reason: 'private land', distanceMm: MILE_MM }],
      charges: 756_000n,
      credits: -220_000n,
      adjustments: 0n,
      exact: 536_000n,
      rounding: 4_000n,
      due: 540_000n,
      byJurisdiction: [{ jurisdiction: 'gothenburg', amount: 536_000n }],
    })
  })
  it('loses no millimetre and no micro', () => {
    const driven = input.trips.flatMap((trip) => trip.charges).reduce((mm, charge) => mm + charge.distanceMm, 0)
    expect(totals.chargedMm + totals.freeMm).toBe(driven)
    expect(totals.charges + totals.credits + totals.adjustments).toBe(totals.exact)
    expect(totals.exact).toBe(totalOf(input.trips) + input.capCredits.reduce((sum, { amount }) => sum + amount, 0n))
    expect(totals.exact + totals.rounding).toBe(totals.due)
    expect(totals.due % 10_000n).toBe(0n)
  })
  it('is what the ledger seals', () => {
    const { agency, account, currency, id } = statement
    const sealed = statementTransfer(
      { agency: agency.id, currency, payer: account.id, happenedAt: statement.draftedAt } as never,
      { statement: id as never },
      totals.exact,
      10_000n,
    )
    const held = balances(sealed.postings)
    expect(held.get(`billed:${account.id}`)).toBe(totals.due)
    expect(held.get(`rounding:${agency.id}`)).toBe(-totals.rounding)
  })
  it('names a trip of a closed month an adjustment of that month', () => {
    const late = statement.journeys.filter((journey) => isAdjustment(journey, statement))
    expect(late.map(({ month }) => month)).toEqual(['2026-09'])
    expect(totals.adjustments).toBe(late[0].amount)
  })
  it('puts a trip in the month of its own clock', () => {
    // 22:30 UTC on 30 September is 00:30 on 1 October in Stockholm; the last minute of October is 22:59 UTC, after DST.
    const trips = [
      tripOf('first', 'v1', Date.UTC(2026, 8, 30, 22, 30), 5, { everywhere: 1 }),
      tripOf('last', 'v1', Date.UTC(2026, 9, 31, 22, 59), 5, { everywhere: 1 }),
    ]
    const { journeys } = draftStatement({ ...input, trips, capCredits: [] })
    expect(journeys.map(({ month }) => month)).toEqual(['2026-10', '2026-10'])
    const november = [tripOf('next', 'v1', Date.UTC(2026, 9, 31, 23), 5, { everywhere: 1 })]
    expect(() => draftStatement({ ...input, trips: november, capCredits: [] })).toThrow(
      'after the statement of 2026-10',
    )
  })
  it('is due after review and notice', () => {
    expect([statement.reviewUntil, statement.dueOn]).toEqual(['2026-11-12', '2026-12-12'])
  })
  it('is the same bytes whatever the order of its parts', () => {
    fc.assert(
      fc.property(shuffled(input.trips), shuffled(input.capCredits), shuffled(input.vehicles), (a, b, c) => {
        expect(statementDigest(draftStatement({ ...input, trips: a, capCredits: b, vehicles: c }))).toBe(
          statementDigest(statement),
        )
      }),
      { numRuns: 20 },
    )
  })
  it('survives its JSON', () => {
    const read = parseOrExplain(statementSchema, JSON.parse(canonical(statement)), 'the statement')
    expect(read).toEqual(statement)
    expect(statementDigest(read)).toBe(statementDigest(statement))
  })
  it('may be empty', () => {
    const empty = draftStatement({ ...input, trips: [], capCredits: [] })
    expect(empty.totals).toMatchObject({ trips: 0, due: 0n, byJurisdiction: [] })
    expect(verifyStatement(empty, [TARIFF])).toEqual([])
  })
  it('needs a policy, and one currency', () => {
    expect(() => draftStatement({ ...input, policies: [] })).toThrow('no policy is known for the statement of 2026-10')
    const euros = { ...TARIFF, id: 'euros', currency: 'EUR' }
    expect(() => draftStatement({ ...input, policies: [TARIFF, euros] })).toThrow('a statement has one currency')
  })
  it('takes its terms from the policy in force at the end of the month', () => {
    const terms = (policies: StatementInput['policies']) => draftStatement({ ...input, policies }).unit
    const km = {
      ...TARIFF,
      id: 'km',
      startsAt: '2026-10-20T00:00:00+02:00',
      billing: { ...TARIFF.billing, unit: 'km' as const },
    }
    expect(terms([km, TARIFF])).toBe('km')
    expect(terms([{ ...km, startsAt: '2026-11-01T00:00:00+01:00' }, TARIFF])).toBe('mile')
  })
})

describe('verifying a statement', () => {
  const statement = october()

  it('finds nothing in a true one', () => {
    expect(verifyStatement(statement, [TARIFF])).toEqual([])
  })
  it('finds a credit of a span that an earlier statement holds in part', () => {
    const input = octoberInput()
    // 2 mi at 24 c were billed before: 48 c of the limit of 50 c. Now 1 mi more: 24 c, of which 22 c are given back.
    const trips = [tripOf('more', 'v1', Date.UTC(2026, 9, 6, 6), 20, { 'centre-peak': 1 })]
    const [whole] = creditsOf(trips)
    const credit = { ...whole, before: { ...whole.before, gross: micros(480_000n) }, amount: micros(-220_000n) }
    expect(verifyStatement(draftStatement({ ...input, trips, capCredits: [credit] }), [TARIFF])).toEqual([])
    const wrong = draftStatement({ ...input, trips, capCredits: [{ ...credit, amount: micros(-1n) }] })
    expect(verifyStatement(wrong, [TARIFF])).toContainEqual({
      path: 'capCredits[0].amount',
      expected: '-0.22',
      found: '-0.000001',
    })
  })
  it('names what was changed', () => {
    const edited = structuredClone(statement)
    edited.totals.due = micros(statement.totals.due + 10_000n)
    edited.journeys[3].lines[1].rate = { micros: micros(99_000n), per: 'mile' }
    const faults = verifyStatement(edited, [TARIFF])
    expect(faults.map(({ path }) => path)).toEqual(['journeys[3].lines[1].rate.micros', 'totals.due'])
    expect(faults[0]).toMatchObject({ expected: '0.09', found: '0.099' })
  })
  it('finds a missing credit, a trip billed twice, a policy that was swapped', () => {
    const uncapped = { ...statement, capCredits: statement.capCredits.slice(1) }
    expect(verifyStatement(uncapped, [TARIFF])).not.toEqual([])
    const twice = { ...statement, journeys: [...statement.journeys, statement.journeys[0]] }
    expect(verifyStatement(twice, [TARIFF])[0]).toMatchObject({ expected: 'each trip once' })
    const swapped = verifyStatement(statement, [{ ...TARIFF, description: 'edited since' }])
    expect(swapped.map(({ path }) => path)).toEqual(['madeBy.policies[0].digest'])
    expect(verifyStatement(statement, [])).toHaveLength(2)
  })
  it('finds a rule that cannot have matched', () => {
    const edited = structuredClone(statement)
    const line = edited.journeys.flatMap(({ lines }) => lines).find(({ rule }) => rule === 'centre-peak')!
    line.zones = []
    expect(verifyStatement(edited, [TARIFF])[0]).toMatchObject({ expected: 'a rule that matches the line' })
  })
  it('finds any change of a number, a rule, a day or a term', () => {
    // What was driven, by whom, and names are facts: the proof of the sealed digest covers those.
    const facts = /\.(name|contact|trip|report|zones|engine|roadClass|startedAt|endedAt)\b|^account|^draftedAt$/
    const paths = leaves(statement).filter((path) => !facts.test(path))
    expect(paths.length).toBeGreaterThan(1_000)
    for (let i = 0; i < paths.length; i += 17) {
      const faults = verifyStatement(changed(statement, paths[i]), [TARIFF]).length
      expect([paths[i], faults > 0]).toEqual([paths[i], true])
    }
  })
})

/** Paths of all scalars, as keys joined by dots. */
const leaves = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, member]) => leaves(member, path ? `${path}.${key}` : key))
    : [path]

/** The document with one scalar changed to another of its type. */
function changed(statement: Statement, path: string): Statement {
  const copy = structuredClone(statement)
  const keys = path.split('.')
  const last = keys.pop()!
  const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy as never)
  const value = parent[last]
  parent[last] =
    typeof value === 'bigint'
      ? value + 1n
      : typeof value === 'number'
        ? value + 1
        : typeof value === 'string'
          ? /^\d{4}-\d\d/.test(value)
            ? value.replace(/^2026/, '2025')
            : `${value}x`
          : 'x'
  return copy
}
