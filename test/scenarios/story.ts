import { type Batch, type Journey, type Statement, statementSchema } from '#contracts'
import { instant, type Instant, type Micros } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { localClock, parsePolicy } from '#policy'
import type { RoadNetwork } from '#road-network'
import { verifyStatement } from '#statement'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, METRES_PER_DEGREE, TARIFF } from './roads'

export const at = (iso: string): Instant => instant(Date.parse(iso))

export interface Answer {
  readonly status: number
  readonly code: string | undefined
  // What comes back is checked by whoever tells the story.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any
}

/** One city, one citizen with one car, and a clock that the story tells. Everything goes through MQTT and HTTP. */
export interface Story {
  readonly world: World
  readonly people: Cast
  readonly device: DeviceClient
  /** A drive along the main road at 15 m/s; the clock is moved to its end. */
  drive(trip: string, fromLon: number, toLon: number, startsAt: string): Promise<void>
  /** The same from point to point, [lon, lat]. */
  driveWay(trip: string, way: readonly (readonly [number, number])[], startsAt: string): Promise<void>
  /** Closes a month to its seal, past its review. */
  close(month: string): Promise<Statement>
  /** Lets a month be drafted, and waits there. */
  draft(month: string): Promise<Statement>
  statement(month: string): Promise<Statement>
  as(
    role: 'citizen' | 'agency' | 'operator',
    method: string,
    path: string,
    body?: unknown,
    type?: string,
  ): Promise<Answer>
  /** What an account of the ledger holds, in micros. */
  ledger(account: string): Promise<bigint>
  /** All work done, and no invariant broken. */
  sound(): Promise<void>
  end(): Promise<void>
}

export async function openStory(
  now: string,
  {
    policies = [TARIFF],
    roads = MAIN_ROAD,
    environment = {},
  }: { policies?: readonly unknown[]; roads?: RoadNetwork; environment?: Record<string, string> } = {},
): Promise<Story> {
  const world = await openWorld(at(now), environment)
  const people = await cast(world, roads, policies)
  const device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
  const clock = localClock('Europe/Rome')
  let seq = 0

  const as: Story['as'] = async (role, method, path, body, type = 'application/json') => {
    const answer = await fetch(`${world.httpUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${people.tokens[role]}`,
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      body:
        body === undefined
          ? undefined
          : body instanceof Uint8Array
            ? Buffer.from(body)
            : typeof body === 'string'
              ? body
              : JSON.stringify(body),
    })
    const text = await answer.text()
    const json = /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text
    return { status: answer.status, code: json?.code, body: json }
  }
  const statement: Story['statement'] = async (month) => {
    const listed = (await as('citizen', 'GET', '/v1/statements')).body as { id: string; month: string }[]
    const { id } = listed.find((row) => row.month === month)!
    return statementSchema.parse((await as('citizen', 'GET', `/v1/statements/${id}.json`)).body)
  }
  const sendAll = async (batches: readonly Batch[]): Promise<void> => {
    seq += batches.length
    world.clock.advanceTo(instant(Math.max(world.clock.now(), batches.at(-1)!.fixes.at(-1)![0])))
    for (const batch of batches) await device.send(batch)
    await settled(world)
  }
  const state = async (month: string, wanted: string): Promise<void> => {
    for (const end = Date.now() + 30_000; Date.now() < end;) {
      const { body } = await as('citizen', 'GET', `/v1/agencies/${people.agency}/periods/${month}`)
      if (body.state === wanted || body.state === 'sealed') return settled(world)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${month} never was ${wanted}`)
  }
  const draft: Story['draft'] = async (month) => {
    await requestClose(world.store, people.agency, month)
    world.clock.advanceTo(instant(Math.max(world.clock.now(), clock.spanOf(month).to)))
    await state(month, 'drafted')
    return statement(month)
  }
  return {
    world,
    people,
    device,
    drive: (trip, fromLon, toLon, startsAt) => sendAll(driveAlong(trip, fromLon, toLon, at(startsAt), seq)),
    driveWay: (trip, way, startsAt) => sendAll([driveWay(trip, way, at(startsAt), seq)]),
    draft,
    async close(month) {
      const { reviewUntil } = await draft(month)
      world.clock.advanceTo(instant(Math.max(world.clock.now(), clock.spanOf(reviewUntil).to)))
      await state(month, 'sealed')
      return statement(month)
    },
    statement,
    as,
    async ledger(account) {
      const [row] = await world.store.read<{ sum: string }>(
        `select coalesce(sum(amount), 0)::text as sum from money.posting where account = $1`,
        [account],
      )
      return BigInt(row.sum)
    },
    async sound() {
      await settled(world)
      expect(await faultsOf(world)).toEqual([])
    },
    async end() {
      await device.close()
      await world.close()
    },
  }
}

/** What a journey's lines come to by their own distances and rates, reckoned again: half-even to the micro, line by line. */
export const priceOf = ({ lines }: Journey): bigint =>
  lines.reduce((sum, { distanceMm, rate }) => {
    if (!rate) return sum
    const exact = BigInt(distanceMm) * rate.micros
    const floor = exact / 1_000_000n
    const twice = (exact % 1_000_000n) * 2n
    return sum + floor + (twice > 1_000_000n || (twice === 1_000_000n && floor % 2n === 1n) ? 1n : 0n)
  }, 0n)

/** The statement recomputes from itself and the published tariff. */
export const recomputes = (statement: Statement, policies: readonly unknown[] = [TARIFF]): void =>
  expect(
    verifyStatement(
      statement,
      policies.map((policy) => parsePolicy(policy)),
    ),
  ).toEqual([])

/** Euros in micros. */
export const euro = (amount: number): Micros => BigInt(Math.round(amount * 1e6)) as Micros

/** A drive from point to point at some 8 m/s, one fix a second, in one batch. */
function driveWay(trip: string, way: readonly (readonly [number, number])[], startsAt: Instant, seq: number): Batch {
  const fixes: [number, number, number, number][] = []
  for (let i = 1; i < way.length; i++) {
    const [[lon, lat], [toLon, toLat]] = [way[i - 1], way[i]]
    const metres = Math.hypot((toLon - lon) * METRES_PER_DEGREE, (toLat - lat) * 111_130)
    const seconds = Math.max(1, Math.round(metres / 8))
    for (let s = i === 1 ? 0 : 1; s <= seconds; s++)
      fixes.push([
        startsAt + fixes.length * 1000,
        lat + ((toLat - lat) * s) / seconds,
        lon + ((toLon - lon) * s) / seconds,
        4,
      ])
  }
  return { v: 1, boot: 0, seq, trip, event: 'end', fixes }
}
