import { Command } from 'commander'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PolicyDocument } from '#contracts'
import { InputError, instant, type Instant } from '#kernel'
import { PARAMETERS } from '#map-matching'
import { parsePolicy, policyInForce } from '#policy'
import { systemClock, ToldClock } from '#runtime'
import flat from '../../policies/flat.json'
import { moment } from '../arguments'
import { beforeLeaving, deletedAtTheEnd } from '../leaving'
import { counted, progress, say } from '../printed'
import { readPolicy } from '../policy'
import { readSuites, type Suite } from './drives'
import { openLine } from './line'
import { reserveOut } from './out'
import { asJson, asTable, resultsOf } from './results'
import { castOf, closeMonths, enroll, sendAll } from './run'

const BASE = '2026-01-05T08:00:00Z'

interface Options {
  readonly network?: string
  readonly policy?: string
  readonly out?: string
  readonly data?: string
  readonly base: Instant
  readonly json?: boolean
}

/** `roadmeter replay`: recorded drives through the whole line, from MQTT batches to sealed statements. */
export const replayCommand = (): Command =>
  new Command('replay')
    .argument('<traces>', 'GPX, CSV (trace_id,t,lon,lat[,accuracy]), or a folder of either')
    .option('--network <path>', 'map: .osm.pbf, .osm, .osm.gz, or a folder with nodes.csv and edges.csv')
    .option('--policy <file>', 'tariff (JSON); 2 cents a mile on public roads unless given')
    .option('--out <folder>', 'write statements there as JSON, CSV and HTML; must be new or empty')
    .option('--data <folder>', 'keep the database there; the same drives again are charged once')
    .option('--base <moment>', 'when traces that count their own seconds are taken to begin', moment, moment(BASE))
    .option('--json', 'print the result as JSON: mm, micros, ms')
    .addHelpText(
      'after',
      `
Without --network, the folder or its subfolders each hold their own map beside the trace: nodes.csv, edges.csv,
trace.csv and perhaps gt.csv (trace_id,seq,edge_id: the edges truly driven, which gives the true distance).
Each trace is one vehicle with one device and one account. Times below 1980 are taken as seconds from --base
(${BASE}). Runs in this process on a database and a broker of its own; nothing else is touched.`,
    )
    .action(replay)

async function replay(path: string, options: Options): Promise<void> {
  const startedAt = systemClock.now()
  const policy = options.policy ? await readPolicy(options.policy) : parsePolicy(flat)
  const reading = progress('reading')
  const suites = await readSuites(path, options.network, options.base, reading).finally(() => reading.end())
  mustBeInForce(policy, suites)
  mustTouchRoads(suites)
  const out = options.out ? await reserveOut(options.out) : null
  const folder = options.data ?? (await mkdtemp(join(tmpdir(), 'roadmeter-replay-')))
  const keep = options.data ? null : deletedAtTheEnd(folder)

  const drives = suites.flatMap((suite) => suite.drives)
  const clock = new ToldClock(instant(drives.reduce((first, drive) => Math.min(first, drive.startsAt), Infinity)))
  const line = await openLine(folder, clock)
  const stay = beforeLeaving(() => line.close())
  try {
    const cast = castOf(suites)
    await enroll(line, cast, policy)
    await sendAll(line, cast)
    await closeMonths(line, cast, policy)
    const results = await resultsOf(line.store, cast)
    await out?.write(line.store, results)
    const seconds = (systemClock.now() - startedAt) / 1000
    say(options.json ? JSON.stringify(asJson(results, policy, seconds)) : asTable(results, policy, seconds))
    if (out && !options.json) say(`${counted(out.files, 'file')} in ${options.out}`)
    if (results.some((result) => result.lost > 0 || result.rejected > 0)) process.exitCode = 1
  } finally {
    stay()
    await line.close()
    if (keep) {
      await rm(folder, { recursive: true, force: true })
      keep()
    }
  }
}

function mustBeInForce(policy: PolicyDocument, suites: readonly Suite[]): void {
  for (const drive of suites.flatMap((suite) => suite.drives))
    for (const at of [drive.startsAt, drive.endsAt])
      if (!policyInForce([policy], at))
        throw new InputError(
          'NOT_IN_FORCE',
          `policy ${policy.id} is in force from ${policy.startsAt}${policy.endsAt ? ` to ${policy.endsAt}` : ''}, and trace ${drive.name} is of ${new Date(at).toISOString()}`,
        )
}

/** Some trace must have a fix near a road; those that have none are charged nothing, and the table says so. */
function mustTouchRoads(suites: readonly Suite[]): void {
  const strangers = suites.flatMap(({ drives }) => drives.filter((drive) => !drive.onRoad))
  const all = suites.reduce((count, suite) => count + suite.drives.length, 0)
  if (strangers.length < all) return
  const [first] = strangers
  const more = strangers.length > 1 ? `, and none of the other ${strangers.length - 1} traces touches it` : ''
  throw new InputError(
    'OUTSIDE',
    `trace ${first.name}: 0 of ${first.fixes.length} fixes lie within ${PARAMETERS.radiusM.value} m of a road of ${suites[0].source}${more}`,
  )
}
