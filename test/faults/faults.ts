import { type Chance } from '#kernel'
import { CRASH_POINTS, type CrashPoint } from '#runtime'
import { type Cluster, type Name } from './cluster'

/** How one life of a process ends: by SIGKILL, at any moment, or at a named place between two effects. */
export interface Death {
  readonly name: string
  readonly at: CrashPoint | null
}

/** What befalls the servers that all processes share. Resolves when they are up again; throws where it could not be brought about. */
export interface Blow {
  readonly name: string
  /** How long at most there is peace after it. */
  readonly pauseMsMax: number
  readonly strike: (cluster: Cluster) => Promise<void>
}

/** What happens in one run: to each process one life after the other, and meanwhile to the servers one blow after the other. */
export interface Plan {
  readonly deaths: ReadonlyMap<Name, readonly Death[]>
  readonly blows: readonly Blow[]
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
  outagesS: [1, 10],
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

const FULL_S = 5
const PAUSE_MS_MAX = 1_000

/** Who passes a crash point, one of them at least in every run. */
const passing = (point: CrashPoint): readonly Name[] => {
  if (point === 'door.receipt-sent') return ['ingest1', 'ingest2']
  if (point === 'door.acknowledged') return ['ownIngest']
  return point.startsWith('inbox.') ? ['ingest1', 'ownIngest', 'api'] : ['engine1', 'engine2']
}

/** The faults of a run whose names have one of the texts of `only` in them, in the order that the chance has it. */
export function plan(counts: Counts, only: readonly string[], dice: Chance): Plan {
  const isMeant = ({ name }: { readonly name: string }) => only.some((text) => name.includes(text))
  const deaths = new Map<Name, Death[]>()
  const kill = (who: string, names: readonly Name[]) => {
    for (let i = 0; i < counts.kills; i++) die(names[i % names.length], { name: `SIGKILL ${who}`, at: null })
  }
  const die = (process: Name, death: Death) => {
    if (isMeant(death)) deaths.set(process, [...(deaths.get(process) ?? []), death])
  }
  kill('ingest, a subscriber', ['ingest2', 'ingest1'])
  kill('ingest, a broker of its own', ['ownIngest'])
  kill('an engine', ['engine1', 'engine2'])
  kill('the api', ['api'])
  for (const [place, at] of CRASH_POINTS.entries()) {
    const names = passing(at)
    for (let i = 0; i < counts.crashPoints; i++) die(names[(place + i) % names.length], { name: `crash at ${at}`, at })
  }
  const times = (count: number, of: (i: number) => Blow): Blow[] => Array.from({ length: count }, (_, i) => of(i))
  const blows = [
    ...times(counts.database, (i) => ON_DATABASE[i % ON_DATABASE.length]),
    ...times(counts.commits, () => ({
      name: 'answer to a COMMIT cut',
      pauseMsMax: 100,
      strike: ({ cutter }) => cutter.cut(),
    })),
    ...times(counts.broker, () => ({
      name: 'SIGKILL Mosquitto, its state wiped',
      pauseMsMax: PAUSE_MS_MAX,
      strike: ({ servers }) => servers.killBroker(),
    })),
    ...times(counts.redis, (i) => onRedis(i, counts.outagesS)),
    ...times(counts.diskFull, () => ({
      name: `disk of the database full for ${FULL_S} s`,
      pauseMsMax: PAUSE_MS_MAX,
      strike: ({ servers }) => servers.diskFull(FULL_S),
    })),
  ].filter(isMeant)
  return {
    deaths: new Map([...deaths].map(([name, all]) => [name, shuffled(all, dice)])),
    blows: shuffled(blows, dice),
  }
}

const ON_DATABASE: readonly Blow[] = [
  { name: 'SIGKILL a backend of PostgreSQL', strike: ({ servers }: Cluster) => servers.killBackend() },
  { name: 'PostgreSQL restarted, its plug pulled', strike: ({ servers }: Cluster) => servers.restartPostgres() },
  { name: 'backends of PostgreSQL ended', strike: ({ servers }: Cluster) => servers.terminateBackends() },
].map((blow) => ({ ...blow, pauseMsMax: PAUSE_MS_MAX }))

/** Emptied, and killed for each of the outages, in turn. */
function onRedis(i: number, outagesS: readonly number[]): Blow {
  const turn = i % (1 + outagesS.length)
  const pauseMsMax = PAUSE_MS_MAX
  if (turn === 0) return { name: 'Redis emptied', pauseMsMax, strike: ({ servers }) => servers.flushRedis() }
  const seconds = outagesS[turn - 1]
  return {
    name: `Redis killed, away for ${seconds} s`,
    pauseMsMax,
    strike: ({ servers }) => servers.redisAway(seconds),
  }
}

const shuffled = <T>(all: readonly T[], dice: Chance): T[] =>
  all
    .map((one) => [dice.next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
