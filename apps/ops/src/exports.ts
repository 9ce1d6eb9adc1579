import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { EXPORT_FORMATS } from '#contracts'
import { DATASETS } from '#evaluation'
import { dataPackage, extensionOf, type Format, type Sink, type Written } from '#exports'
import { formatMicros, InputError, micros, type AgencyId } from '#kernel'
import {
  CHARGE_TABLE,
  countMonth,
  formatNamed,
  packageOf,
  Reference,
  releaseFor,
  requireClosed,
  writeCharges,
  writeRelease,
} from '#pipeline'
import { systemClock } from '#runtime'
import { countCharges, type Store } from '#store'
import { agencyId } from './arguments'
import { withDatabase } from './database'
import { grouped, progress, say, unwritable } from './printed'

const LIST = Object.entries(DATASETS)
  .map(([name, { title }]) => `  ${name.padEnd(18)} ${title}`)
  .join('\n')

/** `roadmeter export`: tables of a closed month as files. */
export const exportCommand = (): Command =>
  new Command('export')
    .addArgument(new Argument('<dataset>', 'which table').choices([...Object.keys(DATASETS), 'charges']))
    .requiredOption('--agency <id>', 'whose table', agencyId)
    .option('--month <month>', 'such as 2026-10: one that is closed', period)
    .option('--survey <id>', 'which survey, for the dataset survey', period)
    .addOption(new Option('--format <format>', 'kind of file').choices(EXPORT_FORMATS).default('csv'))
    .option('--noise <kind:amount>', 'such as laplace:0.4 (epsilon) or gaussian:0.1 (rho), on a budget', noise)
    .requiredOption('--out <folder>', 'where the file and its datapackage.json go')
    .addHelpText(
      'after',
      `\nDatasets:\n${LIST}\n  ${'charges'.padEnd(18)} The books line by line: for auditors, not for analysts, since a row stands for one vehicle

No row of the others stands for fewer than ten vehicles; what is withheld is counted in datapackage.json: see docs/exports.md.`,
    )
    .action((dataset: string, given: Given) =>
      withDatabase(async (store, settings) => {
        const { agency, out } = given
        const at = dataset === 'survey' ? given.survey : given.month
        if (!at)
          throw new InputError('EXPORT', `name the ${dataset === 'survey' ? 'survey: --survey' : 'month: --month'}`)
        const format = formatNamed(given.format)
        const line = { clock: systemClock, settings, reference: new Reference() }
        if (dataset === 'charges') return exportCharges(store, agency, at, format, out)
        if (format === 'geoparquet' && !DATASETS[dataset as keyof typeof DATASETS].shape)
          throw new InputError('EXPORT_FORMAT', `${dataset} has no shape to draw: ask for csv or parquet`)
        const bar = progress('counting trips')
        if (dataset !== 'survey')
          await countMonth(store, line, agency, at, settings.leaseMs, (done, all) => bar.to(done, all)).finally(() =>
            bar.end(),
          )
        const { written, descriptor, suppressed } = await store.transaction(async (tx) => {
          const release = await releaseFor(
            tx,
            { agency, dataset, period: at, noise: given.noise ?? '' },
            systemClock.now(),
            line,
          )
          const writing = progress('writing rows')
          const written = await toFile(out, `${dataset}.${extensionOf(format)}`, (sink) =>
            writeRelease(tx, release, format, line, sink, (rows) => writing.to(rows, release.rows)),
          ).finally(() => writing.end())
          const { few, dominated, complementary } = release.suppressed
          return {
            written,
            descriptor: await packageOf(tx, release, format, written, line),
            suppressed: few + dominated + complementary,
          }
        })
        await describe(out, descriptor)
        say(
          `${grouped(written.rows)} rows in ${join(out, descriptor.resources[0].path)}, ${grouped(suppressed)} withheld\nsha256 ${written.sha256}`,
        )
      }),
    )

interface Given {
  agency: AgencyId
  month?: string
  survey?: string
  format: string
  noise?: string
  out: string
}

async function exportCharges(
  store: Store,
  agency: AgencyId,
  month: string,
  format: Format,
  out: string,
): Promise<void> {
  if (format === 'geoparquet')
    throw new InputError('EXPORT_FORMAT', 'charges have no shape to draw: ask for csv or parquet')
  const all = await store.transaction(async (tx) => {
    await requireClosed(tx, agency, month)
    return countCharges(tx, agency, month)
  })
  const bar = progress('writing lines')
  const written = await toFile(out, `charges.${extensionOf(format)}`, (sink) =>
    writeCharges(store, agency, month, format, sink, (rows) => bar.to(rows, all)),
  ).finally(() => bar.end())
  const totals = { distance_mm: String(written.distanceMm), amount_micros: String(written.amountMicros) }
  await describe(
    out,
    dataPackage({
      name: 'charges',
      title: `Charge lines, ${agency}, ${month}`,
      about: 'The lines that a close took. A row stands for one vehicle: not for publication.',
      columns: CHARGE_TABLE,
      key: [],
      format,
      written,
      attribution: null,
      createdAt: new Date(systemClock.now()).toISOString(),
      facts: { agency, period: month, totals: { published: totals, all: totals } },
    }),
  )
  say(
    `${grouped(written.rows)} lines in ${join(out, `charges.${extensionOf(format)}`)}, ${formatMicros(micros(written.amountMicros))} in all\nsha256 ${written.sha256}`,
  )
}

/** Under another name until it is whole, so that no half file is taken for one. */
async function toFile<W extends Written>(folder: string, name: string, write: (sink: Sink) => Promise<W>): Promise<W> {
  const path = join(folder, name)
  await mkdir(folder, { recursive: true }).catch(unwritable(folder))
  const part = `${path}.part`
  const file = await open(part, 'w').catch(unwritable(path))
  try {
    const written = await write(async (bytes) => void (await file.write(bytes)))
    await file.close()
    await rename(part, path)
    return written
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(part, { force: true })
    throw error
  }
}

const describe = (folder: string, descriptor: unknown): Promise<void> =>
  writeFile(join(folder, 'datapackage.json'), `${JSON.stringify(descriptor, null, 2)}\n`)

function period(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(text)) throw new InvalidArgumentError('expected 2026-10, or the id of a survey')
  return text
}

function noise(text: string): string {
  const found = /^(laplace|gaussian):(\d{1,2}(?:\.\d{1,3})?)$/.exec(text)
  const millionths = Math.round(Number(found?.[2]) * 1e6)
  if (!found || millionths < 1_000 || millionths > 10_000_000)
    throw new InvalidArgumentError('expected laplace:0.4 or gaussian:0.1, from 0.001 to 10')
  return `${found[1]}:${millionths}`
}
