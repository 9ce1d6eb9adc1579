import { isReceiptOf, REJECTIONS, type Receipt } from '#contracts'
import { chance, instant } from '#kernel'
import { LOG, type Log } from '#runtime'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { mutants, ownTracks, traccar } from './mutants'

// Whatever is posted to a running Roadmeter by whoever may post, it is taken in or refused by name, and counted; nothing breaks over it.
// FUZZ=10000000 is the long form, as of the decoder's.
const EACH = Math.ceil(Number(process.env.FUZZ ?? 100_000) / 250)
const SEED = process.env.FUZZ_SEED ?? String(Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 20
const NOW = instant(Date.parse('2026-10-20T12:00:00Z'))
const FORWARDER = 'forward-secret'

interface Answer {
  readonly status: number
  readonly text: string
}

describe(`the doors over HTTP, seed ${SEED}`, () => {
  let world: World
  let people: Cast
  let failures: jest.SpyInstance

  beforeAll(async () => {
    world = await openWorld(NOW, { ROADMETER_TRACCAR_PASSWORD: FORWARDER })
    people = await cast(world, MAIN_ROAD, [TARIFF])
    failures = jest.spyOn(world.app.get<Log>(LOG), 'error')
  })
  afterAll(() => world?.close())

  /** Posts as many mutants of a kind, and holds every answer against `isAnswer`; how often each status came. */
  async function postAll(
    where: string,
    token: string,
    broken: Iterator<Uint8Array, never>,
    types: readonly string[],
    isAnswer: (answer: Answer) => boolean,
  ): Promise<Record<number, number>> {
    const statuses: Record<number, number> = {}
    const post = async (i: number) => {
      const bytes = broken.next().value
      const response = await fetch(`${world.httpUrl}/v1/${where}`, {
        method: 'POST',
        body: Buffer.from(bytes),
        headers: { authorization: `Bearer ${token}`, 'content-type': types[i % types.length] },
      })
      const answer = { status: response.status, text: await response.text() }
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
      // No JSON: refused before anybody looks at it, and says so.
      if (answer.status === 400 ? /"code":"[A-Z_]+"/.test(answer.text) : isAnswer(answer)) return
      throw new Error(`seed ${SEED}: ${answer.status} ${answer.text} to ${Buffer.from(bytes).toString('hex')}`)
    }
    for (let from = 0; from < EACH; from += AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, EACH - from) }, (_, i) => post(from + i)))
    return statuses
  }
  const received = async (): Promise<number> =>
    Number((await world.store.read<{ n: string }>('select coalesce(sum(received), 0) as n from metering.balance'))[0].n)

  it(`${EACH} broken batches: a receipt, or a reason`, async () => {
    // Each also under the other's name: JSON that isn't any comes no further than to the parser of JSON.
    const types = ['application/json', 'application/cbor']
    const isReceipt = (text: string) => isReceiptOf(people.device, JSON.parse(text) as Receipt)
    const statuses = await postAll(
      `devices/${people.device}/batches`,
      people.deviceToken,
      mutants(chance(`${SEED} batches`), NOW),
      types,
      ({ status, text }) =>
        status === 200 ? isReceipt(text) : status === 422 && REJECTIONS.some((reason) => text.includes(` ${reason}: `)),
    )
    expect(await received()).toBe(statuses[200] + statuses[422])
    for (const status of [200, 400, 422]) expect(statuses[status]).toBeGreaterThan(EACH / 50)
  }, 3_600_000)

  it(`${EACH} broken messages of OwnTracks, ${EACH} of Traccar`, async () => {
    const before = await received()
    const app = await postAll(
      `devices/${people.device}/owntracks`,
      people.deviceToken,
      mutants(chance(`${SEED} owntracks`), NOW, ownTracks),
      ['application/json', 'application/cbor'],
      ({ status, text }) => status === 200 && text === '[]',
    )
    const server = await postAll(
      'traccar',
      FORWARDER,
      mutants(chance(`${SEED} traccar`), NOW, traccar(people.device)),
      ['application/json', 'application/cbor'],
      ({ status }) => status === 204,
    )
    // What says nothing of a place, and what a server sends that is no position, are passed over.
    const taken = (await received()) - before
    expect(taken).toBeGreaterThan(EACH / 10)
    expect(taken).toBeLessThanOrEqual(app[200] + server[204])
    const trips = await world.store.read<{ trip: string }>('select distinct trip from location.batch where boot > 1000')
    expect(trips.map(({ trip }) => trip)).toEqual(expect.arrayContaining(['owntracks', 'traccar']))
  }, 3_600_000)

  it('all of it is counted and refused by name, and nothing broke over it', async () => {
    await settled(world)
    const reasons = await world.store.read<{ reason: string }>('select distinct reason from location.quarantine')
    for (const { reason } of reasons) expect(REJECTIONS).toContain(reason)
    expect(await world.store.read('select from metering.work where attempts > 0 or parked_at is not null')).toEqual([])
    expect(failures.mock.calls).toEqual([])
    expect(await faultsOf(world)).toEqual([])
    // And it is still there for who means well.
    const good = { v: 1, boot: 5_000, seq: 0, trip: 'good', event: 'run', fixes: [[NOW - 1000, 45, 7.01, 4]] }
    const response = await fetch(`${world.httpUrl}/v1/devices/${people.device}/batches`, {
      method: 'POST',
      body: JSON.stringify(good),
      headers: { authorization: `Bearer ${people.deviceToken}`, 'content-type': 'application/json' },
    })
    expect(await response.json()).toMatchObject({ boot: 5_000, upTo: 0, missing: [] })
  })
})
