import { Command } from 'commander'
import { writeFile } from 'node:fs/promises'
import { InputError, type TripId } from '#kernel'
import { Matcher } from '#map-matching'
import { lookAtTrip, type Looking } from '#pipeline'
import { systemClock, type Settings } from '#runtime'
import { principalOf, type Tx } from '#store'
import { withDatabase } from '../database'
import { operatorName } from '../operator'
import { lineOf } from '../privacy'
import { say, unwritable } from '../printed'
import { readNetwork, readTraces } from '../readers'
import { type Explained } from './explained'
import { explainGeojson } from './geojson'
import { explainHtml } from './page'
import { storedTrip, tracedDrive } from './sources'
import { explainText } from './text'
import { readTruth } from './truth'

export { explainHtml } from './page'
export { tracedDrive } from './sources'
export { readTruth } from './truth'

interface Options {
  readonly network?: string
  readonly traces?: string
  readonly trace?: string
  readonly truth?: string
  readonly fixes?: boolean
  readonly geojson?: string
  readonly html?: string
  readonly why?: string
}

/** `roadmeter explain`: why a drive came out as it did. */
export const explainCommand = (): Command =>
  new Command('explain')
    .argument('[trip]', 'id of a stored trip, as on its statement')
    .option('--network <path>', 'instead of a stored trip: the map of a recorded drive')
    .option('--traces <file>', 'and the drive: CSV (trace_id,t,lon,lat[,accuracy]) or GPX')
    .option('--trace <id>', 'which of the drives, where the file has several')
    .option('--truth <file>', 'CSV trace_id,seq,edge_id: what was truly driven, to be drawn below')
    .option('--fixes', 'a line for every fix, with the roads that it was chosen from')
    .option('--geojson <file>', 'write GeoJSON')
    .option('--html <file>', 'write a page with a map')
    .option('--why <reason>', 'of a stored trip: why you look, which its citizen reads')
    .addHelpText(
      'after',
      '\nThis reads where somebody drove. Of a stored trip that is the citizen’s: look only to answer them. They are told who looked and why;\nwhere the agency has approvers, one of them must agree first: roadmeter break-glass.',
    )
    .action(async (trip: string | undefined, options: Options) => {
      const explained = await explainedOf(trip, options)
      const written: string[] = []
      for (const [file, text] of [
        [options.geojson, explainGeojson],
        [options.html, explainHtml],
      ] as const) {
        if (file === undefined) continue
        await writeFile(file, text(explained)).catch(unwritable(file))
        written.push(file)
      }
      say(written.length ? `written: ${written.join(', ')}` : explainText(explained, options.fixes === true))
    })

async function explainedOf(trip: string | undefined, options: Options): Promise<Explained> {
  const { network: map, traces: file, trace: id, truth, why = '' } = options
  if (trip !== undefined) {
    if (map !== undefined || file !== undefined || truth !== undefined)
      throw new InputError(
        'ARGUMENT',
        'a stored trip has its own network and fixes: name it alone, or --network and --traces',
      )
    return withDatabase(async (store, settings) => {
      const line = lineOf(settings)
      return storedTrip(
        await store.transaction(async (tx) => lookAtTrip(tx, await lookingOf(tx, settings, why), trip as TripId, line)),
      )
    })
  }
  if (map === undefined || file === undefined)
    throw new InputError('ARGUMENT', 'expected the id of a stored trip, or --network and --traces')
  const network = await readNetwork(map)
  const traces = await readTraces(file)
  const chosen = id === undefined ? traces[0] : traces.find((trace) => trace.id === id)
  if (!chosen) throw new InputError('NO_TRACE', `${file}: no trace ${id}`)
  if (id === undefined && traces.length > 1)
    throw new InputError(
      'ARGUMENT',
      `${file} has ${traces.length} traces: choose one with --trace, such as ${chosen.id}`,
    )
  const match = new Matcher(network).match(chosen.fixes)
  return tracedDrive(network, chosen, match, truth === undefined ? null : await readTruth(truth, chosen.id, network))
}

/** Who looks: the person whose token it is, or whoever has the machine. */
async function lookingOf(tx: Tx, { token }: Settings, why: string): Promise<Looking> {
  const principal = token === '' ? null : await principalOf(tx, token, systemClock.now())
  const person = principal?.person ?? null
  return { who: person ?? operatorName(), role: principal?.role ?? 'operator', person, why }
}
