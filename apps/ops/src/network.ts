import { Command } from 'commander'
import { instant, type AgencyId, type Instant } from '#kernel'
import { type RoadNetwork } from '#road-network'
import { systemClock } from '#runtime'
import { networksOf, saveNetwork } from '#store'
import { agencyId, moment } from './arguments'
import { withDatabase } from './database'
import { columns, distance, grouped, progress, say } from './printed'
import { readNetwork } from './readers'
import { knownAgency } from './known'
import { diffCommand, exportCommand } from './network-files'
import { locateCommand } from './network-openlr'

const FORMS = `
FILE is OpenStreetMap as .osm.pbf, .osm or .osm.gz, or a folder with nodes.csv (node_id,lon,lat) and edges.csv
(edge_id,from,to), each perhaps .gz. Extracts of one city: https://extract.bbbike.org, https://download.geofabrik.de`

export const networkCommand = (): Command =>
  new Command('network')
    .addCommand(
      new Command('import')
        .description('read a map and keep it for an agency')
        .argument('<file>', 'map file or folder')
        .requiredOption('--agency <id>', 'whose network it is', agencyId)
        .option('--name <name>', 'for lists (the name of the file unless given)')
        .option(
          '--active-from <date>',
          'trips that begin from then on use it (first network: always; else: now)',
          moment,
        )
        .addHelpText('after', FORMS)
        .action(importNetwork),
    )
    .addCommand(
      new Command('list')
        .description('list the networks of an agency')
        .requiredOption('--agency <id>', 'whose networks', agencyId)
        .action(({ agency }: { agency: AgencyId }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction(async (tx) => {
              await knownAgency(tx, agency)
              return networksOf(tx, agency)
            })
            if (rows.length === 0) return say('(none)')
            const head = ['name', 'active from', 'segments', 'km', 'digest']
            const cells = rows.map((row) => [
              row.name,
              row.activeFrom === 0 ? 'always' : new Date(row.activeFrom).toISOString(),
              grouped(row.segments),
              distance(row.lengthMm, 'km', 1),
              row.digest.slice(0, 16),
            ])
            say(columns([head, ...cells], [2, 3]))
          }),
        ),
    )
    .addCommand(
      new Command('info')
        .description('say what is in a map, without a database')
        .argument('<file>', 'map file or folder')
        .addHelpText('after', FORMS)
        .action(async (file: string) => sayNetwork(await readNetwork(file))),
    )
    .addCommand(diffCommand(FORMS))
    .addCommand(exportCommand(FORMS))
    .addCommand(locateCommand(FORMS))

async function importNetwork(
  file: string,
  { agency, name, activeFrom }: { agency: AgencyId; name?: string; activeFrom?: Instant },
): Promise<void> {
  await withDatabase(async (store) => {
    const bar = progress(`importing ${file.split(/[\\/]/).at(-1)}`)
    try {
      bar.to(0, 2)
      await store.transaction((tx) => knownAgency(tx, agency))
      const network = await readNetwork(file)
      bar.to(1, 2)
      const [from, saved] = await store.transaction(async (tx) => {
        const first = (await networksOf(tx, agency)).length === 0
        const from = activeFrom ?? (first ? instant(0) : systemClock.now())
        const fileName = file.split(/[\\/]/).filter(Boolean).at(-1)!
        return [from, await saveNetwork(tx, agency, network, { name: name ?? fileName, activeFrom: from })]
      })
      bar.to(2, 2)
      bar.end()
      sayNetwork(network)
      say(
        saved === 0
          ? `${agency} has had this very network before: nothing was changed`
          : `kept for ${agency}, for trips ${from === 0 ? 'at any time' : `from ${new Date(from).toISOString()} on`}`,
      )
    } finally {
      bar.end()
    }
  })
}

function sayNetwork(network: RoadNetwork): void {
  const byClass = new Map<string, number>()
  for (let s = 0; s < network.segmentCount; s++)
    byClass.set(network.roadClass(s), (byClass.get(network.roadClass(s)) ?? 0) + network.lengthMm(s))
  const [west, south, east, north] = network.bounds.map((degrees) => degrees.toFixed(4))
  say(
    columns([
      ['segments', `${grouped(network.segmentCount)} (each direction of travel is one)`],
      ['length', `${distance(network.totalMm(), 'km', 1)} km of lanes to drive, both directions counted`],
      ...[...byClass].sort((a, b) => b[1] - a[1]).map(([name, mm]) => [`  ${name}`, `${distance(mm, 'km', 1)} km`]),
      ['bounds', `${west} to ${east} east, ${south} to ${north} north`],
      ['attribution', network.attribution || '(none given)'],
      ['digest', network.digest],
    ]),
  )
}
