import { connectAsync, type MqttClient } from 'mqtt'
import { batchBytes, batchCbor, batchContent, type Batch } from '#contracts'
import { chance, instant, type DeviceId, type VehicleId } from '#kernel'
import { DeviceClient, topicOf } from '#messaging'
import { LOG, Metrics, signingKeyOf, type Log, type SigningKey } from '#runtime'
import { enrolDevice, QUARANTINED_A_DAY_MAX, saveVehicle, saveVoucher } from '#store'
import { cast, openWorld, type Cast, type World } from '../harness'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { realBatch } from './mutants'

// Whoever is not the device doesn't get a fix in under its name: not by topic, key, replay or accident on the wire. ATTACKS=10000
// is the long form.
const EACH = Math.ceil(Number(process.env.ATTACKS ?? 2_000) / 4)
const SEED = process.env.FUZZ_SEED ?? String(Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 50
const DAY_MS = 86_400_000
const NOW = instant(Date.parse('2026-10-20T12:00:00Z'))

describe(`attacks, seed ${SEED}`, () => {
  const dice = chance(SEED)
  const [A, B] = ['attacker-device', 'victim-device'] as DeviceId[]
  let world: World
  let people: Cast
  let keys: Record<DeviceId, SigningKey>
  let attacker: DeviceClient
  let logged: jest.SpyInstance

  beforeAll(async () => {
    world = await openWorld(NOW)
    logged = jest.spyOn(world.app.get<Log>(LOG), 'warn')
    people = await cast(world, MAIN_ROAD, [TARIFF])
    keys = {}
    for (const [i, device] of [A, B].entries()) {
      keys[device] = signingKeyOf(new Uint8Array(32).fill(i + 1))
      const vehicle = `vehicle of ${device}` as VehicleId
      await world.store.transaction(async (tx) => {
        await saveVehicle(tx, { vehicle, account: people.account, name: device, vehicleClass: 'car' })
        await saveVoucher(tx, { id: device, vehicle }, `voucher ${device}`, instant(NOW + 60_000))
        await enrolDevice(
          tx,
          { voucher: `voucher ${device}`, key: keys[device].publicKey, token: `token ${device}` },
          NOW,
        )
      })
    }
    attacker = await DeviceClient.connect({ url: world.mqttUrl, device: A, token: `token ${A}` })
  })
  afterAll(async () => {
    await attacker?.close()
    await world?.close()
  })

  /** Its numbers are its own: no attack is a duplicate of another. */
  let seq = 0
  const fresh = (): Batch => ({ ...realBatch(dice, NOW), boot: 1, seq: seq++ })
  const signed = (batch: Batch, device: DeviceId, key: SigningKey): Batch => ({
    ...batch,
    sig: key.signNow(batchContent(device, batch)),
  })
  const kept = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await world.store.read<{ reason: string; n: number }>(
          'select reason, count(*)::int as n from location.quarantine group by reason',
        )
      ).map(({ reason, n }) => [reason, n]),
    )
  /** What the balance of all days says. */
  const counted = async (): Promise<{ accepted: number; rejected: number; unkept: number }> =>
    (
      await world.store.read<{ accepted: number; rejected: number; unkept: number }>(
        'select sum(accepted)::int as accepted, sum(rejected)::int as rejected, sum(unkept)::int as unkept from metering.balance',
      )
    )[0]
  /** Refusals of the attacker's messages that stand in the log: each one, also where the quarantine of its day is full. */
  const refusalsLogged = (): number =>
    logged.mock.calls.filter(([said, text]) => said.device === A && text === 'a batch was rejected').length
  const accepted = async (): Promise<number> =>
    (await world.store.read<{ n: number }>('select count(*)::int as n from location.batch'))[0].n
  const refusals = async (): Promise<number> => (await world.app.get(Metrics).doorRefusals.get()).values[0].value
  async function sendAll(messages: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < messages.length; i += AT_ONCE)
      await Promise.all(messages.slice(i, i + AT_ONCE).map((bytes) => attacker.sendBytes(bytes)))
  }
  const some = <T>(make: () => T): T[] => Array.from({ length: EACH }, make)

  it(`${EACH} batches on topics of others: each ends its connection and is counted`, async () => {
    const topics = [
      () => topicOf(B, 'batch'),
      () => topicOf(B, 'state'),
      () => topicOf(B, 'receipt'),
      () => topicOf(A, 'receipt'),
      () => topicOf(A, 'context'),
      () => `roadmeter/v1/${A}/batch/`,
      () => `roadmeter/v1/${A}x/batch`,
      () => `roadmeter/v2/${A}/batch`,
      () => `owntracks/${B}/phone`,
      () => `$SYS/broker/${A}`,
      () => `$share/roadmeter/roadmeter/v1/${A}/batch`,
    ]
    const before = await refusals()
    const attempt = async (): Promise<void> => {
      const topic = dice.pick(topics)()
      // Not under A's name: its one session would be the other attacks'.
      const client: MqttClient = await connectAsync(world.mqttUrl, {
        username: people.device,
        password: people.deviceToken,
        reconnectPeriod: 0,
      })
      client.on('error', () => undefined)
      const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
      client.publish(topic, Buffer.from(batchBytes(signed(fresh(), B, keys[B]))), { qos: 1 }, () => undefined)
      await closed
      await client.endAsync(true)
    }
    for (let i = 0; i < EACH; i++) await attempt()
    expect((await refusals()) - before).toBe(EACH)
    expect(await accepted()).toBe(0)
    expect(await kept()).toEqual({})
  })

  it(`${EACH} batches signed by another's key, ${EACH} replays of another device's`, async () => {
    await sendAll(some(() => batchBytes(signed(fresh(), A, keys[B]))))
    await sendAll(some(() => (dice.below(2) ? batchBytes : batchCbor)(signed(fresh(), B, keys[B]))))
    expect(await kept()).toEqual({ SIGNATURE: QUARANTINED_A_DAY_MAX })
    expect(await counted()).toEqual({ accepted: 0, rejected: 2 * EACH, unkept: 2 * EACH - QUARANTINED_A_DAY_MAX })
    expect(refusalsLogged()).toBe(2 * EACH)
    expect(await accepted()).toBe(0)
  })

  it(`${EACH} batches with one bit turned over on the way`, async () => {
    // Another day, so that they are kept as well: up to what a day keeps.
    world.clock.advanceTo(instant(world.clock.now() + DAY_MS))
    const before = await counted()
    await sendAll(
      some(() => {
        const bytes = Uint8Array.from((dice.below(2) ? batchBytes : batchCbor)(signed(fresh(), A, keys[A])))
        bytes[dice.below(bytes.length)] ^= 1 << dice.below(8)
        return bytes
      }),
    )
    const through = await world.store.read<Record<string, unknown>>(
      'select device, boot, seq, trip, event, fixes from location.batch',
    )
    expect(through).toEqual([])
    expect((await counted()).rejected - before.rejected).toBe(EACH)
    expect(refusalsLogged()).toBe(3 * EACH)
    const after = await kept()
    expect(Object.values(after).reduce((a, b) => a + b, 0)).toBe(
      QUARANTINED_A_DAY_MAX + Math.min(EACH, QUARANTINED_A_DAY_MAX),
    )
    expect(['MALFORMED', 'SIGNATURE', 'TIME']).toEqual(expect.arrayContaining(Object.keys(after)))
  })

  it('raises an alarm, takes no number, and lets the device itself through', async () => {
    const alarms = await world.store.read<{ kind: string }>(
      'select distinct kind from metering.device_alarm where device = $1',
      [A],
    )
    expect(alarms).toEqual([{ kind: 'SIGNATURE' }])
    expect(
      await world.store.read('select held::text from metering.stream where device = any($1::text[])', [[A, B]]),
    ).toEqual([])
    const first = { ...fresh(), boot: 2, seq: 0 }
    expect(await attacker.send(signed(first, A, keys[A]))).toMatchObject({ boot: 2, upTo: 0 })
    expect(await accepted()).toBe(1)
  })
})
