import { type Batch } from '#contracts'
import { chance, instant, type AccountId, type AgencyId, type Chance, type DeviceId, type VehicleId } from '#kernel'
import { parsePolicy } from '#policy'
import { ToldClock } from '#runtime'
import { filePolicy, saveAccount, saveAgency, saveDevice, saveNetwork, saveVehicle, type Store } from '#store'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { ownDatabase } from '../databases'
import { stateDigest, takeIn, workThrough, type SentBatch } from './undisturbed'

// I9: whatever happens to batches on their way (each up to ten times, in any order, 35 days late, across boots, some not at
// all), one state comes of them. TRACES=20000 is the long form.
const TRACES = Number(process.env.TRACES ?? 300)
const SEED = process.env.SEED ?? '1'
const TRACES_AT_ONCE = 300
const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))
const AGENCY = 'trace-city' as AgencyId
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** After as much a gap is given up (ROADMETER_GAP_WAIT_MS), and what is behind it is metered. */
const PATIENCE_DAYS = 8
const COPIES_MAX = 10
const FIXES_PER_BATCH = 8

/** What a device sends; `lost` never comes, `late` when nobody waits for it any more. */
interface Trace {
  readonly device: DeviceId
  readonly batches: readonly Batch[]
  readonly lost: Batch | null
  readonly late: Batch | null
}

/** One or two short drives along the main road, each in eight-second batches, with restarts between them or on the way. */
function traceOf(index: number, dice: Chance): Trace {
  const batches: Batch[] = []
  let [boot, seq] = [dice.below(3), 0]
  // The oldest that is still taken in, or any younger.
  const ageMs = dice.below(4) === 0 ? 35 * DAY_MS - MINUTE_MS : MINUTE_MS * (60 + dice.below(26 * 24 * 60))
  for (let trip = 0, at = NOW - ageMs; trip < 1 + (dice.below(3) === 0 ? 1 : 0); trip++) {
    const seconds = 24 + dice.below(25)
    const from = 7 + dice.below(900) / 10_000
    const fixes = Array.from({ length: seconds }, (_, s): [number, number, number, number] => [
      at + 1000 * s,
      45,
      Math.round((from + (s * 15) / 78_846.8) * 1e6) / 1e6,
      4,
    ])
    const restartsAt = dice.below(5) === 0 ? dice.below(4) : -1
    for (let i = 0; i * FIXES_PER_BATCH < fixes.length; i++) {
      if (i === restartsAt) [boot, seq] = [boot + 1, 0]
      const isLast = (i + 1) * FIXES_PER_BATCH >= fixes.length
      const event = isLast && dice.below(4) > 0 ? 'end' : i === 0 ? 'start' : 'run'
      const some = fixes.slice(i * FIXES_PER_BATCH, (i + 1) * FIXES_PER_BATCH)
      batches.push({ v: 1, boot, seq: seq++, trip: `t${trip}`, event, fixes: some })
    }
    at += 1000 * seconds + MINUTE_MS * (1 + dice.below(90))
    if (at + 60_000 > NOW) break
  }
  const gap = dice.below(5) === 0 ? dice.pick(batches) : null
  const comesLate = gap !== null && ageMs < 26 * DAY_MS && dice.below(2) === 0
  const device = `trace-device-${String(index).padStart(5, '0')}` as DeviceId
  return { device, batches, lost: comesLate ? null : gap, late: comesLate ? gap : null }
}

const sentOf = (trace: Trace): SentBatch[] =>
  trace.batches
    .filter((batch) => batch !== trace.lost && batch !== trace.late)
    .map((batch) => ({ device: trace.device, batch }))
const lateOf = ({ device, late }: Trace): SentBatch[] => (late ? [{ device, batch: late }] : [])

/** Each up to ten times, and all devices' in any order. */
const disturbed = (sent: readonly SentBatch[], dice: Chance): SentBatch[] =>
  sent
    .flatMap((one) => Array.from({ length: 1 + dice.below(COPIES_MAX) }, () => one))
    .map((one) => [dice.next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)

async function inCity(traces: readonly Trace[], drive: (store: Store, clock: ToldClock) => Promise<void>) {
  const { store, close } = await ownDatabase()
  try {
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Trace City' })
      await saveNetwork(tx, AGENCY, MAIN_ROAD, { name: 'drawn', activeFrom: instant(0) })
      await filePolicy(tx, AGENCY, parsePolicy(TARIFF), instant(0))
      for (const { device } of traces) {
        const [account, vehicle] = [`account-${device}` as AccountId, `car-${device}` as VehicleId]
        await saveAccount(tx, { id: account, agency: AGENCY, name: device })
        await saveVehicle(tx, { vehicle, account, name: 'car', vehicleClass: 'car' })
        await saveDevice(tx, { id: device, vehicle, token: device })
      }
    })
    await drive(store, new ToldClock(NOW))
    const [counts] = await store.read<Record<'posted' | 'other' | 'refused' | 'duplicates', string>>(
      `select (select count(*) from metering.trip where state = 'posted') as posted, (select count(*) from metering.trip where state <> 'posted') as other,
         (select count(*) from location.quarantine) as refused, (select sum(duplicate) from metering.stream) as duplicates`,
    )
    return { digest: await stateDigest(store), ...counts }
  } finally {
    await close()
  }
}

const groupsOf = (sent: readonly SentBatch[], size: () => number): SentBatch[][] => {
  const groups: SentBatch[][] = []
  for (let i = 0; i < sent.length; i += groups[groups.length - 1].length) groups.push(sent.slice(i, i + size()))
  return groups
}

/** Works until nobody waits for anything any more: not for a gap, nor for the end of a trip. */
async function settle(store: Store, clock: ToldClock): Promise<void> {
  await workThrough(store, clock)
  clock.advanceTo(instant(clock.now() + PATIENCE_DAYS * DAY_MS))
  await workThrough(store, clock)
}

const rounds = Array.from({ length: Math.ceil(TRACES / TRACES_AT_ONCE) }, (_, round) => round)
describe(`${TRACES} traces, seed ${SEED}`, () => {
  it.each(rounds)(
    'come to one state, in order and in disorder: round %i',
    async (round) => {
      const dice = chance(`traces ${SEED}/${round}`)
      const count = Math.min(TRACES_AT_ONCE, TRACES - round * TRACES_AT_ONCE)
      const traces = Array.from({ length: count }, (_, i) => traceOf(i, dice))
      const sent = traces.flatMap(sentOf)
      const late = traces.flatMap(lateOf)

      const inOrder = inCity(traces, async (store, clock) => {
        await takeIn(
          store,
          groupsOf(sent, () => 400),
          clock,
        )
        await settle(store, clock)
        await takeIn(
          store,
          groupsOf(late, () => 400),
          clock,
        )
        await settle(store, clock)
      })
      const inDisorder = inCity(traces, async (store, clock) => {
        const groups = groupsOf(disturbed(sent, dice), () => 100 + dice.below(700))
        const half = dice.below(groups.length)
        await takeIn(store, groups.slice(0, half), clock)
        // What has come so far is metered, as far as it goes.
        await workThrough(store, clock)
        await takeIn(store, groups.slice(half), clock)
        await settle(store, clock)
        await takeIn(
          store,
          groupsOf(disturbed(late, dice), () => 1 + dice.below(50)),
          clock,
        )
        await settle(store, clock)
      })
      const [plain, wild] = await Promise.all([inOrder, inDisorder])
      expect(wild.digest).toBe(plain.digest)
      expect(plain).toMatchObject({ other: '0', refused: '0', duplicates: '0' })
      expect([wild.posted, wild.other, wild.refused]).toEqual([plain.posted, '0', '0'])
      expect(Number(plain.posted)).toBeGreaterThan(count)
      expect(Number(wild.duplicates)).toBeGreaterThan(sent.length)
    },
    600_000,
  )
})
