import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { WireFix } from '#contracts'
import type { FixColumns } from '#map-matching'
import type { RoadNetwork } from '#road-network'
import { readNetwork, readTraces } from '../../apps/ops/src/readers'

/** Drives over one network. */
export interface Suite {
  readonly name: string
  readonly network: RoadNetwork
  readonly drives: readonly FixColumns[]
}

/** The folder of recorded and simulated drives that is kept beside the checkout; null where it isn't. */
export function sharedData(): string | null {
  const folder = resolve(__dirname, '../../../shared/data')
  return existsSync(folder) ? folder : null
}

/** Recorded drives, each with the roads around it (see README.md of the data): the first `most` of them. */
export async function recordedDrives(data: string, most = Infinity): Promise<Suite[]> {
  const folder = join(data, 'kubicka')
  const suites: Suite[] = []
  for (const name of readdirSync(folder).sort().slice(0, most)) {
    const traces = await readTraces(join(folder, name, 'trace.csv'))
    const network = await readNetwork(join(folder, name))
    suites.push({ name, network, drives: traces.map(({ fixes }) => fixes) })
  }
  return suites
}

/** The fixes of a drive at least `periodS` apart, and its last one: as if its device had reported more rarely. */
export function everySeconds(fixes: FixColumns, periodS: number): FixColumns {
  const kept: number[] = []
  let last = -Infinity
  for (let i = 0; i < fixes.length; i++) {
    const isDue = fixes.at[i] - last >= periodS * 1000 - 1 || i === fixes.length - 1
    if (!isDue || fixes.at[i] <= last) continue
    kept.push(i)
    last = fixes.at[i]
  }
  return {
    length: kept.length,
    at: Float64Array.from(kept, (i) => fixes.at[i]),
    lon: Float64Array.from(kept, (i) => fixes.lon[i]),
    lat: Float64Array.from(kept, (i) => fixes.lat[i]),
    accuracyM: Float32Array.from(kept, (i) => fixes.accuracyM[i]),
  }
}

/** Fixes as a device sends them, as a matcher takes them. */
export const columnsOf = (fixes: readonly WireFix[]): FixColumns => ({
  length: fixes.length,
  at: Float64Array.from(fixes, (fix) => fix[0]),
  lon: Float64Array.from(fixes, (fix) => fix[2]),
  lat: Float64Array.from(fixes, (fix) => fix[1]),
  accuracyM: Float32Array.from(fixes, (fix) => fix[3] ?? 0),
})

export const fixesOf = (suites: readonly Suite[]): number =>
  suites.reduce((sum, { drives }) => sum + drives.reduce((n, fixes) => n + fixes.length, 0), 0)
