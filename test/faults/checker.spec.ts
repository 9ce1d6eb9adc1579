import { instant, micros, type AccountId, type AgencyId, type TripId } from '#kernel'
import { chainEntry, emptyChain, headOf, shardOf, tripTransfer, type ChainEntry } from '#ledger'
import { check, faultsOf, type Event, type FinalState, type StoredBatch } from './checker'

// A checker that never complains proves nothing: each kind of violation is shown to it once.

const A = 'device-a'
const B = 'device-b'
const sent = (device: string, seq: number): Event => ({
  did: 'sent',
  device,
  boot: 3,
  seq,
  digest: `of ${device} ${seq}`,
  fixes: 60,
})
const heard = (device: string, upTo: number, missing: [number, number][] = []): Event => ({
  did: 'heard',
  device,
  boot: 3,
  upTo,
  missing,
})
const stored = (device: string, seq: number): StoredBatch => ({
  device,
  boot: 3,
  seq,
  digest: `of ${device} ${seq}`,
})

const payer = 'ann' as AccountId
const occasion = { agency: 'oslo' as AgencyId, currency: 'NOK', payer, happenedAt: instant(1_790_000_000_000) }
function chain(): ChainEntry[] {
  const entries: ChainEntry[] = []
  let head = emptyChain(shardOf(payer))
  for (let i = 0; i < 3; i++) {
    const earnings = [{ jurisdiction: 'oslo', amount: micros(BigInt(1000 + i)) }]
    const transfer = tripTransfer(occasion, { trip: `trip-${i}` as TripId, revision: 0 }, earnings)
    entries.push(chainEntry(head, transfer, `${i}`.repeat(32), occasion.happenedAt))
    head = headOf(entries[i])
  }
  return entries
}

const HISTORY: readonly Event[] = [
  sent(A, 0),
  sent(A, 1),
  sent(A, 2),
  // Sent again: nothing new.
  sent(A, 1),
  sent(B, 0),
  heard(A, 2, [[1, 2]]),
  heard(A, 2),
  heard(B, 0),
]
const entries = chain()
const FINAL: FinalState = {
  inbox: [stored(A, 0), stored(A, 1), stored(A, 2), stored(B, 0)],
  refused: [],
  trips: [
    { device: A, boot: 3, from: 0, to: 2 },
    { device: B, boot: 3, from: 0, to: 0 },
  ],
  money: new Map([
    ['accrued:ann', 500n],
    ['revenue:oslo', -500n],
  ]),
  chains: [{ head: headOf(entries[2]), entries }],
}
const EXPECTED = new Map([
  ['accrued:ann', 500n],
  ['revenue:oslo', -500n],
])
const faults = (history: readonly Event[], final: Partial<FinalState> = {}, expected = EXPECTED) =>
  faultsOf(check(history, { ...FINAL, ...final }, expected))

describe('the checker', () => {
  it('finds nothing where nothing is wrong, and counts', () => {
    const verdict = check(HISTORY, FINAL, EXPECTED)
    expect(faultsOf(verdict)).toEqual([])
    expect(verdict).toMatchObject({ batches: 4, fixes: 240, receipted: 4 })
  })

  it('lost: a receipt covers it and it is nowhere', () => {
    const inbox = FINAL.inbox.filter((row) => row !== FINAL.inbox[1])
    const trips = [{ device: A, boot: 3, from: 0, to: 0 }, { device: A, boot: 3, from: 2, to: 2 }, FINAL.trips[1]]
    expect(faults(HISTORY, { inbox, trips })).toEqual([`lost: batch ${A}/3/1`])
    // In quarantine it isn't lost; but an honest device must not find itself there.
    expect(faults(HISTORY, { inbox, trips, refused: [{ device: A, boot: 3, seq: 1 }] })).toEqual([
      `refused: batch ${A}/3/1`,
    ])
  })

  it('not lost: what no receipt covers may be gone, but then its device still has it', () => {
    const history = HISTORY.filter((event) => event !== HISTORY[6])
    const inbox = FINAL.inbox.filter((row) => row !== FINAL.inbox[1])
    const trips = [{ device: A, boot: 3, from: 0, to: 0 }, { device: A, boot: 3, from: 2, to: 2 }, FINAL.trips[1]]
    expect(faults(history, { inbox, trips })).toEqual([`unanswered: batch ${A}/3/1`])
  })

  it('duplicated: stored or metered twice', () => {
    expect(faults(HISTORY, { inbox: [...FINAL.inbox, stored(A, 2)] })).toEqual([
      `duplicated: batch ${A}/3/2 is in the inbox twice`,
    ])
    expect(faults(HISTORY, { trips: [...FINAL.trips, { device: A, boot: 3, from: 2, to: 2 }] })).toEqual([
      `duplicated: batch ${A}/3/2 is in two trips`,
    ])
  })

  it('unexpected: nobody sent it, or not so, or it was promised before it came', () => {
    expect(
      faults(HISTORY, { inbox: [...FINAL.inbox, stored(B, 1)], trips: [FINAL.trips[0], { ...FINAL.trips[1], to: 1 }] }),
    ).toEqual([`unexpected: batch ${B}/3/1 is in the inbox, and nobody sent it`])
    const altered = FINAL.inbox.map((row, i) => (i === 0 ? { ...row, digest: 'of another' } : row))
    expect(faults(HISTORY, { inbox: altered })).toEqual([
      `unexpected: batch ${A}/3/0 is in the inbox with other content`,
    ])
    expect(faults([heard(B, 0), ...HISTORY])).toEqual([
      `unexpected: a receipt of ${B}/3 up to 0 covers batches that were not sent`,
    ])
    expect(faults(HISTORY, { trips: [FINAL.trips[0], { ...FINAL.trips[1], to: 1 }] })).toEqual([
      `unexpected: batch ${B}/3/1 is in a trip and not in the inbox`,
    ])
  })

  it('unmetered: stored and forgotten', () => {
    expect(faults(HISTORY, { trips: [FINAL.trips[0]] })).toEqual([`unmetered: batch ${B}/3/0`])
  })

  it('money: an account that differs, one too few, one too many, a sum that is not zero', () => {
    const money = (sums: Record<string, bigint>) => faults(HISTORY, { money: new Map(Object.entries(sums)) })
    expect(money({ 'accrued:ann': 501n, 'revenue:oslo': -501n })).toEqual([
      'money: account accrued:ann has 501 micros, expected 500',
      'money: account revenue:oslo has -501 micros, expected -500',
    ])
    expect(money({})).toHaveLength(2)
    expect(money({ 'accrued:ann': 500n, 'revenue:oslo': -499n })).toContain(
      'money: all accounts together have 1 micros, expected 0',
    )
  })

  it('chain: an entry that is changed, missing or out of its place', () => {
    const head = headOf(entries[2])
    const found = (some: readonly ChainEntry[]) => faults(HISTORY, { chains: [{ head, entries: some }] })
    expect(found(entries.map((e, i) => (i === 1 ? { ...e, recordedAt: instant(1) } : e)))).toHaveLength(1)
    expect(found([entries[0], entries[2]])).toHaveLength(1)
    expect(found(entries.slice(0, 2))).toHaveLength(1)
    expect(found([entries[1], entries[0], entries[2]])).toHaveLength(1)
  })

  it('says at most a few of each kind', () => {
    const many = Array.from({ length: 20 }, (_, i) => sent(A, i))
    const verdict = check(many, { ...FINAL, inbox: [], trips: [], money: new Map() }, null)
    expect(faultsOf(verdict, 2)).toEqual([
      `unanswered: batch ${A}/3/0`,
      `unanswered: batch ${A}/3/1`,
      'unanswered: and 18 more',
    ])
  })
})
