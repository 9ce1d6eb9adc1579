import { batchBytes, batchDigest, decodeBatch, type Batch } from '#contracts'
import {
  chance,
  instant,
  micros,
  type AccountId,
  type AgencyId,
  type DeviceId,
  type TripId,
  type VehicleId,
} from '#kernel'
import { emptyChain, headOf, tripTransfer, verifyChain } from '#ledger'
import {
  chainHeads,
  chainPage,
  commitArrivals,
  heldRanges,
  lockDevice,
  record,
  saveAccount,
  saveAgency,
  saveDevice,
  saveVehicle,
  type Arrival,
  type Store,
} from '#store'

const AGENCY = 'crowded-city' as AgencyId
const ACCOUNTS = ['account-a', 'account-b', 'account-c'] as AccountId[]
const DEVICES = ['device-aa', 'device-bb', 'device-cc', 'device-dd'] as DeviceId[]
const NOW = instant(Date.parse('2026-10-05T12:00:00Z'))

/** The inbox and the ledger, written by `writers` at once. */
export function concurrentSuite(opened: () => Store, writers: number): void {
  let store: Store
  beforeAll(async () => {
    store = opened()
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Crowded City' })
      for (const id of ACCOUNTS) await saveAccount(tx, { id, agency: AGENCY, name: id })
      const vehicle = 'crowded-vehicle' as VehicleId
      await saveVehicle(tx, { vehicle, account: ACCOUNTS[0], name: 'car', vehicleClass: 'car' })
      for (const id of DEVICES) await saveDevice(tx, { id, vehicle, token: id })
    })
  })

  const arrivalOf = (device: DeviceId, bytes: Uint8Array): Arrival => {
    const decoded = decodeBatch(device, bytes, NOW)
    const contentDigest = decoded.ok ? batchDigest(device, decoded.batch) : null
    return { device, bytes, decoded, authentic: true, contentDigest }
  }
  const arrival = (device: DeviceId, seq: number, content = 0): Arrival => {
    const batch: Batch = { v: 1, boot: 0, seq, trip: 't', event: 'run', fixes: [[NOW - 1000 + content, 45, 7, 4]] }
    const bytes = batchBytes(batch)
    return arrivalOf(device, bytes)
  }
  const shuffled = <T>(items: readonly T[], seed: string): T[] => {
    const dice = chance(seed)
    return items
      .map((item) => [dice.next(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item)
  }

  it('takes each batch in once, whoever brings it, in whatever groups', async () => {
    const all = DEVICES.flatMap((device) => Array.from({ length: 25 }, (_, seq) => arrival(device, seq)))
    const outcomes = await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        const mine = shuffled(all, `writer ${writer}`)
        const got = []
        for (let i = 0; i < mine.length; i += 10)
          got.push(
            ...(await store.transaction((tx) => commitArrivals(tx, mine.slice(i, i + 10), NOW, `writer-${writer}`))),
          )
        return got
      }),
    )
    const fates = outcomes.flat().map(({ fate }) => fate)
    expect(fates.filter((fate) => fate === 'accepted')).toHaveLength(all.length)
    expect(fates.filter((fate) => fate === 'duplicate')).toHaveLength(all.length * (writers - 1))
    for (const device of DEVICES)
      expect(await store.transaction((tx) => heldRanges(tx, device))).toEqual({ boot: 0, held: [[0, 25]] })
    expect(
      await store.read('select distinct received, accepted, duplicate, rejected from metering.stream where boot = 0'),
    ).toEqual([
      { received: String(25 * writers), accepted: '25', duplicate: String(25 * (writers - 1)), rejected: '0' },
    ])
    expect(
      await store.read('select key from metering.work where key = any($1::text[]) order by key', [DEVICES]),
    ).toEqual(DEVICES.map((key) => ({ key })))
  })

  it('lets one content win where a number is used twice at once', async () => {
    const rivals = Array.from({ length: writers }, (_, i) => arrival(DEVICES[0], 1000, i))
    const outcomes = await Promise.all(
      rivals.map(async (rival) => (await store.transaction((tx) => commitArrivals(tx, [rival], NOW, 'one')))[0]),
    )
    expect(outcomes.map(({ fate, reason }) => reason ?? fate).sort()).toEqual(
      ['accepted', ...Array.from({ length: writers - 1 }, () => 'KEY_REUSE')].sort(),
    )
  })

  it('treats a group as it would its members one by one', async () => {
    const refused = (seq: number): Arrival => {
      const bytes = new TextEncoder().encode(JSON.stringify({ v: 1, boot: 0, seq, trip: 't', speed: 50 }))
      return arrivalOf(DEVICES[1], bytes)
    }
    const group = (seq: number) => [
      refused(seq),
      arrival(DEVICES[1], seq),
      arrival(DEVICES[1], seq + 1),
      refused(seq + 1),
    ]
    const together = await store.transaction((tx) => commitArrivals(tx, group(2000), NOW, 'one'))
    const oneByOne = []
    for (const one of group(3000))
      oneByOne.push(...(await store.transaction((tx) => commitArrivals(tx, [one], NOW, 'one'))))
    const fates = (outcomes: typeof together) => outcomes.map(({ fate, reason }) => reason ?? fate)
    expect(fates(together)).toEqual(['MALFORMED', 'KEY_REUSE', 'accepted', 'MALFORMED'])
    expect(fates(together)).toEqual(fates(oneByOne))
  })

  it('lets one worker at a device at a time', async () => {
    let [inside, most] = [0, 0]
    const work = (device: DeviceId) =>
      store.transaction(async (tx) => {
        await lockDevice(tx, device)
        most = Math.max(most, ++inside)
        await tx.rows('select pg_sleep(0.02)')
        inside--
      })
    await Promise.all(Array.from({ length: 4 }, () => work(DEVICES[0])))
    expect(most).toBe(1)
  })

  it('chains transfers without a gap, each once', async () => {
    const transfers = ACCOUNTS.flatMap((payer) =>
      Array.from({ length: 12 }, (_, i) => ({
        payer,
        transfer: tripTransfer(
          { agency: AGENCY, currency: 'EUR', payer, happenedAt: NOW },
          { trip: `${payer}-trip-${i}` as TripId },
          [{ jurisdiction: 'crowded', amount: micros(BigInt(i + 1)) }],
        ),
      })),
    )
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (const { transfer } of shuffled(transfers, `clerk ${writer}`))
          await store.transaction((tx) => record(tx, [{ transfer, month: '2026-10' }], NOW))
      }),
    )
    const heads = await store.transaction((tx) => chainHeads(tx))
    let entries = 0
    for (const head of heads) {
      const page = await store.transaction((tx) => chainPage(tx, emptyChain(head.shard)))
      expect(verifyChain(page, emptyChain(head.shard), [head])).toBeNull()
      if (page.length) expect(headOf(page.at(-1)!)).toMatchObject({ shard: head.shard, length: page.length })
      entries += page.length
    }
    expect(entries).toBe(transfers.length)
    expect(await store.read('select sum(amount) as sum from money.posting')).toEqual([{ sum: '0' }])
    // The same name for something else is a bug of whoever made it, and nothing of it is written.
    const [{ transfer, payer }] = transfers
    const other = { ...transfer, happenedAt: instant(NOW + 1) }
    const fresh = tripTransfer(
      { agency: AGENCY, currency: 'EUR', payer, happenedAt: NOW },
      { trip: 'another' as TripId },
      [],
    )
    await expect(
      store.transaction((tx) =>
        record(
          tx,
          [fresh, other].map((one) => ({ transfer: one, month: '2026-10' })),
          NOW,
        ),
      ),
    ).rejects.toThrow(`transfer ${transfer.id} is recorded with other content`)
    expect(await store.transaction((tx) => chainHeads(tx))).toEqual(heads)
  })
}
