import { Argument, Command, InvalidArgumentError } from 'commander'
import { monthSchema } from '#contracts'
import { formatMicros, InputError, instant, micros, type AgencyId } from '#kernel'
import {
  Reference,
  requestBacktest,
  runBacktest,
  shadowPolicy,
  shadowReport,
  type BacktestStanding,
  type Line,
} from '#pipeline'
import { type Comparison } from '#rating'
import { systemClock, type Settings } from '#runtime'
import { agencyId, moment } from '../arguments'
import { withDatabase } from '../database'
import { columns, counted, distance, grouped, progress, say } from '../printed'
import { actor } from './life'

const lineOf = (settings: Settings): Line => ({ clock: systemClock, settings, reference: new Reference() })

/** `roadmeter policy backtest | shadow`: what a draft would have cost, and what it would cost now. */
export const comparisonCommands = (): Command[] => [
  new Command('backtest')
    .description(
      'rate real past months again under the latest revision of a draft, and keep the result for its approval',
    )
    .addArgument(new Argument('<policy>', 'id of the draft'))
    .requiredOption('--agency <id>', 'whose policy it is', agencyId)
    .option('--months <months>', 'such as 2026-08,2026-09; the newest three that were driven where not said', months)
    .option('--json', 'the report as it is kept')
    .addHelpText(
      'after',
      '\nWorks beside a running engine; what was rated when it is stopped stays rated. Nothing that is printed stands for fewer than\nten vehicles or accounts. Who acts is told by ROADMETER_TOKEN: see roadmeter access grant --help.',
    )
    .action((policy: string, given: { agency: AgencyId; months?: string[]; json?: boolean }) =>
      withDatabase(async (store, settings) => {
        const who = await actor(store, settings, given.agency)
        const asked = await store.transaction((tx) => requestBacktest(tx, who, policy, given.months ?? null))
        const bar = progress('rating trips again')
        const standing = await runBacktest(store, lineOf(settings), asked, settings.leaseMs, (done) =>
          bar.to(done, asked.trips),
        ).finally(() => bar.end())
        say(given.json ? JSON.stringify(standing.report, null, 2) : backtestText(standing))
      }),
    ),
  new Command('shadow')
    .description(
      'let the latest revision of a draft rate alongside, without charging anybody; or print what it came to',
    )
    .addArgument(new Argument('<policy>', 'id of the draft'))
    .requiredOption('--agency <id>', 'whose policy it is', agencyId)
    .option('--from <moment>', 'trips that begin from then on', moment)
    .option('--to <moment>', 'and before then', moment)
    .option('--reason <text>', 'why, for the record')
    .action((policy: string, given: { agency: AgencyId; from?: number; to?: number; reason?: string }) =>
      withDatabase(async (store, settings) => {
        const { agency, from, to, reason } = given
        if (from !== undefined || to !== undefined) {
          if (from === undefined || to === undefined || reason === undefined)
            throw new InputError('SHADOW', 'a shadow needs --from, --to and --reason')
          const who = await actor(store, settings, agency)
          const span = { from: instant(from), to: instant(to) }
          await store.transaction((tx) => shadowPolicy(tx, who, policy, span, reason))
          return say(`${policy} rates alongside from ${iso(from)} to ${iso(to)}; nobody is charged`)
        }
        const report = await shadowReport(store, agency, policy, lineOf(settings))
        if (!report) throw new InputError('NO_SHADOW', `${agency} has no shadow ${policy}`)
        say(
          `${policy}, revision ${report.shadow.revision}, from ${iso(report.shadow.from)} to ${iso(report.shadow.to)}`,
        )
        say(
          report.comparison && report.until !== null
            ? `trips until ${iso(report.until)}\n${comparisonText(report.comparison)}`
            : 'too few vehicles drove yet, or too little time ago',
        )
      }),
    ),
]

const iso = (at: number): string => new Date(at).toISOString()

function months(text: string): string[] {
  const list = text.split(',')
  for (const month of list)
    if (!monthSchema.safeParse(month).success) throw new InvalidArgumentError('expected months such as 2026-08,2026-09')
  return list
}

function backtestText({ report, digest, backtest }: BacktestStanding): string {
  const { comparison, gone, books } = report!
  return [
    `${backtest.policy}, revision ${backtest.revision}, on ${backtest.months.join(', ') || 'no month: nothing was driven yet'}`,
    `digest ${digest}`,
    ...(gone > 0 ? [`${counted(gone, 'trip')} could not be rated again: where they went is destroyed`] : []),
    books.agree
      ? 'the same trips under the tariff of their time come to what is booked, to the micro'
      : `THE BOOKS DIFFER: ${amount(books.booked)} booked, ${amount(books.recomputed)} when rated again`,
    comparisonText(comparison),
  ].join('\n')
}

/** A comparison as stored or as computed: micros are bigint or their decimal text. */
function comparisonText(comparison: Comparison): string {
  const { trips, vehicles, accounts, distanceMm, revenue, bills, groups, cells, suppressed } = comparison
  const lines = [
    `${counted(trips, 'trip')} of ${counted(vehicles, 'vehicle')} and ${counted(accounts, 'account')}, ${distance(distanceMm, 'km')} km`,
    `revenue ${amount(revenue.before)} -> ${amount(revenue.after)} (${change(revenue)})`,
  ]
  if (bills) {
    lines.push(
      `${grouped(bills.more)} accounts pay more, ${grouped(bills.less)} less, ${grouped(bills.same)} the same`,
      `change of the bill: ${bills.changeAt.map(({ percentile, change: by }) => `${percentile} % ${signed(by)}`).join(', ')}`,
      ...bills.largestRises.map(
        ({ accounts: count, before, after }, i) =>
          `${i === 0 ? 'the largest rises' : '             next'}: ${count} accounts from ${amount(before)} to ${amount(after)} on average`,
      ),
    )
  } else lines.push('too few accounts to say how bills are spread')
  const rows = [
    ...Object.entries(groups).flatMap(([kind, of]) =>
      of.map(({ name, accounts: count, before, after }) => [
        kind,
        name,
        counted(count, 'account'),
        amount(before),
        amount(after),
        change({ before, after }),
      ]),
    ),
    ...Object.entries(cells).flatMap(([kind, of]) =>
      of.map(({ name, vehicles: count, before, after }) => [
        kind,
        name,
        counted(count, 'vehicle'),
        amount(before),
        amount(after),
        change({ before, after }),
      ]),
    ),
  ]
  if (rows.length) lines.push(columns([['by', '', 'of', 'before', 'after', ''], ...rows], [2, 3, 4, 5]))
  if (suppressed) lines.push(`${counted(suppressed, 'cell')} not shown: each stands for fewer than ten`)
  return lines.join('\n')
}

type Amount = bigint | string
const amount = (value: Amount): string => formatMicros(micros(BigInt(value)))
const signed = (value: Amount): string => `${BigInt(value) > 0n ? '+' : ''}${amount(value)}`
const change = ({ before, after }: { before: Amount; after: Amount }): string =>
  BigInt(before) === 0n
    ? 'from nothing'
    : `${BigInt(after) >= BigInt(before) ? '+' : ''}${((Number(BigInt(after) - BigInt(before)) / Number(BigInt(before))) * 100).toFixed(1)} %`
