import { Argument, Command, Option } from 'commander'
import { writeFile } from 'node:fs/promises'
import { statementSchema, type Statement } from '#contracts'
import { InputError, type AccountId, type AgencyId, type StatementId } from '#kernel'
import { bundleOf, proofOf, reconcile, Reference, releaseStatement, requestClose } from '#pipeline'
import { LANGUAGES, type Language } from '#policy'
import { systemClock } from '#runtime'
import { statementCsv, statementHtml } from '#statement'
import { holdsOf, logAccess, periodOf, StatementRow, statementsFor } from '#store'
import { accountId, agencyId, month as monthOf } from './arguments'
import { withDatabase } from './database'
import { operatorName } from './operator'
import { columns, distance, grouped, money, progress, say, unitSign } from './printed'
import { knownAgency } from './known'

/** `roadmeter close | reconcile | statement`: what happens to the books of a month. */
export const bookCommands = (): Command[] => [
  new Command('close')
    .addArgument(new Argument('<agency>', 'whose month').argParser(agencyId))
    .addArgument(new Argument('<month>', 'such as 2026-10').argParser(monthOf))
    .addHelpText(
      'after',
      '\nThe engine does the work, as soon as the month is over and its trips are posted; asking twice changes nothing.',
    )
    .action((agency: AgencyId, month: string) =>
      withDatabase(async (store) => {
        await requestClose(store, agency, month)
        const period = await periodOf(store, agency, month)
        say(
          `${agency} ${month}: ${period?.state === 'sealed' ? 'sealed' : `${period?.state}, the engine will go on with it`}`,
        )
      }),
    ),
  new Command('reconcile').action(() =>
    withDatabase(async (store, settings) => {
      const bar = progress('recomputing trips')
      const line = { clock: systemClock, settings, reference: new Reference() }
      const findings = await reconcile(store, line, (done, all) => bar.to(done, all)).finally(() => bar.end())
      for (const { id, holds, checked, destroyed, faults } of findings) {
        const gone = destroyed ? `, ${grouped(destroyed)} destroyed` : ''
        say(`${id}  ${faults.length ? 'BROKEN' : 'holds '}  ${holds} (${grouped(checked)} checked${gone})`)
        for (const fault of faults) say(`    ${fault}`)
      }
      if (findings.some(({ faults }) => faults.length > 0)) process.exitCode = 1
    }),
  ),
  new Command('statement')
    .addCommand(
      new Command('list')
        .description('list statements, newest month first')
        .requiredOption('--agency <id>', 'whose statements', agencyId)
        .option('--account <id>', 'those of one account', accountId)
        .action(({ agency, account }: { agency: AgencyId; account?: AccountId }) =>
          withDatabase(async (store) => {
            await store.transaction((tx) => knownAgency(tx, agency))
            const who = { role: 'agency', agency, account: null } as const
            const rows = await statementsFor(store, account ? { ...who, role: 'citizen', account } : who)
            if (rows.length === 0) return say('(none)')
            const cells = rows.map((row) => {
              const { currency } = JSON.parse(row.document) as Statement
              return [row.month, row.account, row.state, money(row.due, currency), row.id]
            })
            say(columns([['month', 'account', 'state', 'due', 'id'], ...cells], [3]))
          }),
        ),
    )
    .addCommand(
      new Command('held')
        .description('statements that are stopped as doubtful: their month is not sealed before each is released')
        .requiredOption('--agency <id>', 'whose statements', agencyId)
        .option('--all', 'those that were released, too')
        .action(({ agency, all }: { agency: AgencyId; all?: boolean }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction(async (tx) => {
              await knownAgency(tx, agency)
              return holdsOf(tx, agency, all)
            })
            const cells = rows.map((row) => [
              row.month,
              row.statement,
              row.reason,
              row.detail,
              row.releasedBy === null ? '' : `released by ${row.releasedBy}: ${row.why}`,
            ])
            say(rows.length ? columns([['month', 'statement', 'reason', 'what', ''], ...cells]) : '(none)')
          }),
        ),
    )
    .addCommand(
      new Command('release')
        .description('let a stopped statement be sealed; who and why stay on record')
        .argument('<id>', 'as listed')
        .requiredOption('--agency <id>', 'whose statement', agencyId)
        .requiredOption('--by <name>', 'who looked at it')
        .requiredOption('--why <reason>', 'why it is right')
        .action((id: StatementId, { agency, by, why }: { agency: AgencyId; by: string; why: string }) =>
          withDatabase(async (store) => {
            await releaseStatement(store, agency, id, { by, why, at: systemClock.now() })
            say(`released ${id}`)
          }),
        ),
    )
    .addCommand(
      new Command('show')
        .description('print a statement')
        .argument('<id>', 'as listed')
        .option('--json', 'the document itself, byte for byte as it is sealed')
        .option('--csv', 'a line for each charge')
        .option('--html', 'a page to print')
        .option('--pdf <file>', 'write it as a PDF to this file')
        .addOption(new Option('--language <language>', 'of the page or the PDF').choices(LANGUAGES).default('en'))
        .option('--why <reason>', 'why you look, which its citizen reads', 'no reason given')
        .option('--proof', 'root and proof that the sealed statement is under it, as JSON for roadmeter verify')
        .option('--bundle', 'the document with the published policies and its proof: all that roadmeter verify needs')
        .action((id: string, { why, language, ...form }: ShowOptions) =>
          withDatabase(async (store) => {
            if (Object.keys(form).length > 1)
              throw new InputError('FORM', 'one of --json, --csv, --html, --pdf, --proof and --bundle')
            const row = await store.dataSource.getRepository(StatementRow).findOneBy({ id })
            if (!row) throw new InputError('NO_STATEMENT', `there is no statement ${id}: roadmeter statement list`)
            await store.transaction((tx) =>
              logAccess(tx, {
                account: row.account as AccountId,
                at: systemClock.now(),
                who: operatorName(),
                role: 'operator',
                what: 'statement',
                subject: id,
                why,
              }),
            )
            const statement = statementSchema.parse(JSON.parse(row.document))
            if (form.json) return say(row.document)
            if (form.csv) return void process.stdout.write(statementCsv(statement))
            if (form.bundle) return say(JSON.stringify(await bundleOf(store, row)))
            const proof = await proofOf(store, row)
            if (form.html) return say(statementHtml(statement, proof, language))
            if (form.pdf)
              return writeFile(form.pdf, await (await import('#pdf')).statementPdf(statement, proof, language))
            if (form.proof && !proof)
              throw new InputError('NOT_SEALED', `statement ${id} is not sealed: nothing to prove`)
            say(form.proof ? JSON.stringify(proof) : summary(statement, row))
          }),
        ),
    ),
]

interface ShowOptions {
  json?: boolean
  csv?: boolean
  html?: boolean
  pdf?: string
  proof?: boolean
  bundle?: boolean
  why: string
  language: Language
}

function summary(statement: Statement, row: StatementRow): string {
  const { agency, account, totals, unit, currency } = statement
  const rows = statement.journeys.map((journey) => [
    new Date(journey.startedAt).toISOString().slice(0, 16),
    `${distance(
      journey.lines.reduce((mm, line) => mm + line.distanceMm, 0),
      unit,
    )} ${unitSign(unit)}`,
    money(journey.amount, currency),
  ])
  const credits = statement.capCredits.map((credit) => [
    `${credit.capName} ${credit.span}`,
    '',
    money(credit.amount, currency),
  ])
  return [
    `statement ${row.id} (${row.state}), ${statement.month}: ${agency.name} to ${account.name}`,
    columns([['journey (UTC)', 'distance', 'amount'], ...rows, ...credits], [1, 2]),
    `charged ${distance(totals.chargedMm, unit)} ${unitSign(unit)}, free ${distance(totals.freeMm, unit)} ${unitSign(unit)}, exact ${money(totals.exact, currency)}, due ${money(totals.due, currency)} on ${statement.dueOn}`,
  ].join('\n')
}
