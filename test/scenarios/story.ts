import { type Batch, type Statement, statementSchema } from '#contracts'
import { instant, type Instant, type Micros } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { localClock } from '#policy'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

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
  /** A drive along the main road at 15 m/s; the clock is moved to its end. */
  drive(trip: string, fromLon: number, toLon: number, startsAt: string): Promise<void>
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
    environment = {},
  }: { policies?: readonly unknown[]; environment?: Record<string, string> } = {},
): Promise<Story> {
  const world = await openWorld(at(now), environment)
  const people = await cast(world, MAIN_ROAD, policies)
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
  const state = async (month: string, wanted: string): Promise<void> => {
    for (const end = Date.now() + 30_000; Date.now() < end;) {
      const { body } = await as('citizen', 'GET', `/v1/agencies/${people.agency}/periods/${month}`)
      if (body.state === wanted) return settled(world)
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
    async drive(trip, fromLon, toLon, startsAt) {
      const batches: Batch[] = driveAlong(trip, fromLon, toLon, at(startsAt), seq)
      seq += batches.length
      world.clock.advanceTo(instant(Math.max(world.clock.now(), batches.at(-1)!.fixes.at(-1)![0])))
      for (const batch of batches) await device.send(batch)
      await settled(world)
    },
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

/** Euros in micros. */
export const euro = (amount: number): Micros => BigInt(Math.round(amount * 1e6)) as Micros
