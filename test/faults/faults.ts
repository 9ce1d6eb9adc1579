import { setTimeout as delay } from 'node:timers/promises'
import { type Chance } from '#kernel'
import { requestClose } from '#pipeline'
import { CRASH_POINTS, type CrashPoint } from '#runtime'
import { AGENCY, type Cluster } from './cluster'

export interface Fault {
  readonly name: string
  /** Does its worst and resolves when everything is up again. Throws where it could not be brought about. */
  readonly strike: (cluster: Cluster, dice: Chance) => Promise<void>
}

/** How often each happens. */
export interface Counts {
  readonly kills: number
  readonly crashPoints: number
  readonly database: number
  readonly commits: number
  readonly broker: number
  readonly redis: number
  readonly diskFull: number
  /** Redis is away for as long, in turn. */
  readonly outagesS: readonly number[]
}

/** What CI has time for, and what a release must stand. `kills` scales the long form. */
export const IN_CI: Counts = {
  kills: 5,
  crashPoints: 1,
  database: 3,
  commits: 20,
  broker: 3,
  redis: 3,
  diskFull: 1,
  outagesS: [1, 3],
}
export const long = (kills: number): Counts => ({
  kills,
  crashPoints: Math.ceil(kills / 15),
  database: Math.ceil(kills / 3),
  commits: Math.ceil((10 * kills) / 3),
  broker: Math.ceil(kills / 6),
  redis: Math.ceil(kills / 6),
  diskFull: Math.ceil(kills / 300),
  outagesS: [1, 10, 60],
})

type Name = keyof Cluster['processes']
const REACHED_MS_MAX = 180_000
const FULL_S = 5

const kill = (name: string, names: readonly Name[]): Fault => ({
  name: `SIGKILL ${name}`,
  async strike({ processes }, dice) {
    const process = processes[dice.pick(names)]
    await process.kill()
    await delay(dice.below(500))
    await process.start()
  },
})

/** Who passes a crash point. */
const passing = (point: CrashPoint): readonly Name[] => {
  if (point === 'door.receipt-sent') return ['ingest1', 'ingest2']
  if (point === 'door.acknowledged') return ['ownIngest']
  return point.startsWith('inbox.') ? ['ingest1', 'ownIngest', 'api'] : ['engine1', 'engine2']
}

const crashAt = (point: CrashPoint): Fault => ({
  name: `crash at ${point}`,
  async strike({ processes, store }, dice) {
    // A close is asked for as often as one likes; it waits at every sweep for what is not ready.
    if (point.startsWith('close.')) await closeOfLastMonth(store)
    const names = passing(point)
    const process = processes[dice.pick(names)]
    // The work of an engine may be done by the other as well: it has to wait.
    const idle = names.includes('engine1') ? names.map((name) => processes[name]).filter((one) => one !== process) : []
    for (const one of [process, ...idle]) await one.kill()
    const died = await process.live({ CRASH_AT: point }, REACHED_MS_MAX)
    if (!died) throw new Error(`${point} was not passed within ${REACHED_MS_MAX / 1000} s`)
    await Promise.all([process, ...idle].map((one) => one.start()))
  },
})

const closeOfLastMonth = (store: Cluster['store']): Promise<void> => {
  const now = new Date()
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15)).toISOString().slice(0, 7)
  return requestClose(store, AGENCY, month)
}

const cutCommit: Fault = {
  name: 'answer to a COMMIT cut',
  strike: ({ cutter }) => cutter.cut(),
}

/** The faults of a run, in the order that the chance has it. */
export function plan(counts: Counts, dice: Chance): Fault[] {
  const times = (count: number, of: (i: number) => Fault): Fault[] => Array.from({ length: count }, (_, i) => of(i))
  const faults = [
    ...times(counts.kills, () => kill('ingest, a subscriber', ['ingest1', 'ingest2'])),
    ...times(counts.kills, () => kill('ingest, a broker of its own', ['ownIngest'])),
    ...times(counts.kills, () => kill('an engine', ['engine1', 'engine2'])),
    ...times(counts.kills, () => kill('the api', ['api'])),
    ...CRASH_POINTS.flatMap((point) => times(counts.crashPoints, () => crashAt(point))),
    ...times(
      counts.database,
      (i): Fault =>
        [
          { name: 'SIGKILL a backend of PostgreSQL', strike: ({ servers }: Cluster) => servers.killBackend() },
          {
            name: 'PostgreSQL restarted, its plug pulled',
            strike: ({ servers }: Cluster) => servers.restartPostgres(),
          },
          { name: 'backends of PostgreSQL ended', strike: ({ servers }: Cluster) => servers.terminateBackends() },
        ][i % 3],
    ),
    ...times(counts.commits, () => cutCommit),
    ...times(counts.broker, () => ({
      name: 'SIGKILL Mosquitto, its state wiped',
      strike: ({ servers }) => servers.killBroker(),
    })),
    ...times(counts.redis, (i): Fault =>
      i % 3 === 0
        ? { name: 'Redis emptied', strike: ({ servers }) => servers.flushRedis() }
        : {
            name: `Redis killed, away for ${counts.outagesS[(i - 1 - Math.floor(i / 3)) % counts.outagesS.length]} s`,
            strike: ({ servers }) =>
              servers.redisAway(counts.outagesS[(i - 1 - Math.floor(i / 3)) % counts.outagesS.length]),
          },
    ),
    ...times(counts.diskFull, () => ({
      name: `disk of the database full for ${FULL_S} s`,
      strike: ({ servers }) => servers.diskFull(FULL_S),
    })),
  ]
  return faults
    .map((fault) => [dice.next(), fault] as const)
    .sort(([a], [b]) => a - b)
    .map(([, fault]) => fault)
}
