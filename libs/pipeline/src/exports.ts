import { EXPORT_FORMATS, type ExportRequest } from '#contracts'
import { datasetNamed, gridPolygon, type Dataset } from '#evaluation'
import {
  dataPackage,
  extensionOf,
  writeTable,
  type Batch,
  type Column,
  type DataPackage,
  type Format,
  type Geometry,
  type Sink,
  type Written,
} from '#exports'
import { deriveId, InputError, invariant, type AgencyId, type Instant } from '#kernel'
import {
  addExport,
  addExportPart,
  agencyById,
  countingOf,
  exportById,
  finishExport,
  networkInForce,
  periodState,
  releasedCells,
  releasesOf,
  want,
  zoneShapes,
  type ExportJob,
  type Release,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'
import { letOutNoisy, noiseName, noiseNamed } from './release'
import { releaseSurvey } from './survey-office'
import { exportWork, tallyWork } from './tally'

const ROWS_AT_ONCE = 20_000
/** Of a file in the database, so that no row is large. */
const PART_BYTES = 1 << 20

/**
 * Asks for a file. The same question is the same export; a survey that is asked for again is counted again. InputError names what
 * can't be: an unknown dataset, a month that isn't closed, a shape that a table doesn't have.
 */
export async function requestExport(
  tx: Tx,
  agency: AgencyId,
  request: ExportRequest,
  askedBy: string,
  now: Instant,
): Promise<ExportJob> {
  const { dataset, period, format } = request
  const { shape } = datasetNamed(dataset)
  if (format === 'geoparquet' && !shape)
    throw new InputError('EXPORT_FORMAT', `${dataset} has no shape to draw: ask for csv or parquet`)
  if (dataset !== 'survey') await requireClosed(tx, agency, period)
  const noise = request.noise
    ? noiseName({ kind: request.noise.kind, millionths: Math.round(request.noise.of * 1e6) })
    : ''
  const id = deriveId('export', agency, dataset, period, format, noise, dataset === 'survey' ? now : 0)
  const job: ExportJob = {
    ...{ id, agency, dataset, period, format, noise, askedBy, askedAt: now },
    ...{ release: null, rows: null, bytes: null, sha256: null, refused: null, finishedAt: null },
  }
  if ((await addExport(tx, job)) > 0) await want(tx, [exportWork(id)])
  return (await exportById(tx, id))!
}

/** A month's tables are of the trips that its close took: before that there is nothing that stays as it is. */
export async function requireClosed(tx: Tx, agency: AgencyId, month: string): Promise<void> {
  if (!(await agencyById(tx, agency))) throw new InputError('NO_AGENCY', `there is no agency ${agency}`)
  const state = await periodState(tx, agency, month)
  if (state === null || state === 'open' || state === 'cutoff')
    throw new InputError('MONTH_OPEN', `${month} of ${agency} is not closed: what is exported must not change any more`)
}

/** Writes the file of an export, or asks for its month to be counted first. What is refused is kept as the answer. */
export async function exportFile(tx: Tx, id: string, line: Line): Promise<WorkKey[]> {
  const job = await exportById(tx, id)
  invariant(job, `there is no export ${id}`)
  if (job.finishedAt !== null) return []
  const now = line.clock.now()
  const { agency, dataset, period } = job
  if (dataset !== 'survey' && !(await countingOf(tx, agency, period))?.finishedAt) return [tallyWork(agency, period)]
  let release: Release
  try {
    release = await releaseFor(tx, job, now, line)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    await finishExport(tx, { ...job, refused: error.message, finishedAt: now })
    return []
  }
  let part = 0
  let held: Uint8Array[] = []
  const file = `${dataset}.${extensionOf(job.format)}`
  const flush = async () => {
    if (held.length > 0) await addExportPart(tx, id, file, part++, Buffer.concat(held))
    held = []
  }
  const written = await writeRelease(tx, release, job.format, line, async (bytes) => {
    held.push(bytes)
    if (held.reduce((sum, { length }) => sum + length, 0) >= PART_BYTES) await flush()
  })
  await flush()
  const descriptor = JSON.stringify(await packageOf(tx, release, job.format, written, line), null, 2)
  await addExportPart(tx, id, 'datapackage.json', 0, Buffer.from(descriptor))
  await finishExport(tx, { ...job, release: release.id, ...written, finishedAt: now })
  return []
}

/** The release that an export is of: of a month as it was counted, of a survey as it stands. */
export async function releaseFor(
  tx: Tx,
  { agency, dataset, period, noise }: Pick<ExportJob, 'agency' | 'dataset' | 'period' | 'noise'>,
  now: Instant,
  line: Line,
): Promise<Release> {
  const exact =
    dataset === 'survey'
      ? await releaseSurvey(tx, agency, period, now, line)
      : (await releasesOf(tx, agency, dataset, period)).find((release) => release.noise === '')
  if (!exact) throw new InputError('NOT_RELEASED', `${dataset} of ${period} was not released`)
  const asked = noiseNamed(noise)
  return asked ? letOutNoisy(tx, exact, asked, now) : exact
}

/** The columns of a table's file: its dimensions, how many each row stands for, its measures, and the deviation of the first. */
export function columnsOf({ counts, dimensions, measures, shape }: Dataset): Column[] {
  return [
    ...dimensions,
    {
      name: counts,
      type: 'integer',
      about: `distinct ${counts} that the row stands for; never fewer than 10, before noise`,
    },
    ...measures.map(({ name, unit, about }): Column => ({ name, type: 'integer', unit, about })),
    {
      name: 'deviation',
      type: 'number',
      about: `standard deviation of ${measures[0].name} over the ${counts} of the row; empty with noise`,
      nullable: true,
    },
    ...(shape ? [{ name: 'geometry', type: 'geometry', about: 'WGS84, longitude and latitude' } as const] : []),
  ]
}

/** Writes a release in a format, page by page. */
export async function writeRelease(
  tx: Tx,
  release: Release,
  format: Format,
  line: Line,
  sink: Sink,
  progress?: (rows: number) => void,
): Promise<Written> {
  const dataset = datasetNamed(release.dataset)
  const shapeOf = await shapes(tx, release, dataset, line)
  async function* pages(): AsyncGenerator<Batch> {
    for (let from = 0; from < release.rows; from += ROWS_AT_ONCE) {
      const cells = await releasedCells(tx, release.id, from, ROWS_AT_ONCE)
      yield [
        ...dataset.dimensions.map(({ type }, i) =>
          cells.map(({ key }) => (type === 'integer' ? BigInt(key[i]) : key[i])),
        ),
        cells.map(({ vehicles }) => BigInt(vehicles)),
        ...dataset.measures.map((_, i) => cells.map(({ sums }) => sums[i])),
        cells.map(({ vehicles, sums, squares }) => deviation(vehicles, Number(sums[0]), squares)),
        ...(dataset.shape ? [cells.map(({ key }) => shapeOf(key[0]))] : []),
      ]
    }
  }
  return writeTable(columnsOf(dataset), pages(), format, sink, progress)
}

function deviation(n: number, sum: number, squares: number | null): number | null {
  return squares === null || n < 2 ? null : Math.sqrt(Math.max(0, squares - (sum * sum) / n) / (n - 1))
}

/** The descriptor that goes beside the file. */
export async function packageOf(
  tx: Tx,
  release: Release,
  format: Format,
  written: Written,
  line: Line,
): Promise<DataPackage> {
  const dataset = datasetNamed(release.dataset)
  const { measures } = dataset
  const named = (sums: readonly bigint[] | null) =>
    sums && Object.fromEntries(measures.map(({ name }, i) => [name, String(sums[i])]))
  const published = measures.map(() => 0n)
  for (let from = 0; from < release.rows; from += ROWS_AT_ONCE)
    for (const { sums } of await releasedCells(tx, release.id, from, ROWS_AT_ONCE))
      sums.forEach((sum, i) => (published[i] += sum))
  const digest = dataset.shape === 'segment' ? await networkInForce(tx, release.agency, release.releasedAt) : null
  const attribution =
    digest && format === 'geoparquet'
      ? (await line.reference.network(tx, release.agency, digest)).network.attribution
      : null
  return dataPackage({
    name: release.dataset,
    title: `${dataset.title}, ${release.agency}, ${release.period}`,
    about: dataset.about,
    columns: columnsOf(dataset),
    key: dataset.dimensions.map(({ name }) => name),
    format,
    written,
    attribution,
    createdAt: new Date(release.releasedAt).toISOString(),
    facts: {
      agency: release.agency,
      period: release.period,
      release: release.id,
      digest: release.digest,
      fewestVehicles: release.k,
      suppressed: release.suppressed,
      noise: release.noise || null,
      // null: the difference to what is published would stand for a few
      totals: { published: named(published), all: named(release.totals) },
      ...release.facts,
    },
  })
}

/** What the rows of a table can be drawn as, by their first dimension. */
async function shapes(
  tx: Tx,
  { agency, releasedAt }: Release,
  { shape }: Dataset,
  line: Line,
): Promise<(key: string) => Geometry | null> {
  if (shape === 'grid')
    return (key) => {
      const ring = gridPolygon(key)
      return ring && { type: 'Polygon', coordinates: [ring] }
    }
  if (shape === 'zone') {
    const known = await zoneShapes(tx, agency)
    return (key) => (known.get(key) as Geometry | undefined) ?? null
  }
  const digest = shape === 'segment' ? await networkInForce(tx, agency, releasedAt) : null
  if (!digest) return () => null
  const { network } = await line.reference.network(tx, agency, digest)
  return (ref) => {
    const segment = network.find(ref)
    if (segment < 0) return null
    const points = network.shape(segment)
    const coordinates = Array.from({ length: points.length / 2 }, (_, i) => [points[2 * i], points[2 * i + 1]])
    return { type: 'LineString', coordinates }
  }
}

export const formatNamed = (name: string): Format => {
  if (!(EXPORT_FORMATS as readonly string[]).includes(name))
    throw new InputError('EXPORT_FORMAT', `there is no format ${name}; there are ${EXPORT_FORMATS.join(', ')}`)
  return name as Format
}
