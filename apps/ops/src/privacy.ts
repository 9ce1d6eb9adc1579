import { Argument, Command } from 'commander'
import { deriveId, InputError, type AccountId, type AgencyId, type TripId } from '#kernel'
import { agreeToLook, askToLook, destroyDue, forgetting, Reference, type Acting, type Line } from '#pipeline'
import { systemClock, type Settings } from '#runtime'
import {
  accountById,
  breakGlassOf,
  legalHolds,
  liftHold,
  logAccess,
  placeHold,
  type BreakGlass,
  type Store,
  type Tx,
} from '#store'
import { accountId, agencyId } from './arguments'
import { withDatabase } from './database'
import { actor } from './policy'
import { columns, counted, grouped, progress, say } from './printed'

const REWRAPPED_AT_ONCE = 1_000

export const lineOf = (settings: Settings): Line => ({ clock: systemClock, settings, reference: new Reference() })
/** `roadmeter keys | hold | forget | break-glass`: what is kept of where people were, how long, and who looks at it. */
export const privacyCommands = (): Command[] => [keysCommand(), holdCommand(), forgetCommand(), breakGlassCommand()]

const keysCommand = (): Command =>
  new Command('keys')
    .addCommand(
      new Command('status').description('which wrapping key is in use, and how many data keys there are').action(() =>
        withDatabase(async (store) => {
          const rows = await store.read<{ id: string; since: string; used: string; current: boolean }>(
            `select w.id, to_char(w.since at time zone 'utc', 'YYYY-MM-DD HH24:MI') as since, w.retired_at is null as current,
               (select count(*) from location.data_key k where k.kek = w.id) as used from location.wrapping_key w order by w.since`,
          )
          if (rows.length === 0) return say('(none yet: the first process to start makes one)')
          const cells = rows.map(({ id, since, current, used }) => [id, since, current ? 'in use' : 'retired', used])
          say(columns([['key', 'since (UTC)', '', 'data keys'], ...cells], [3]))
        }),
      ),
    )
    .addCommand(
      new Command('rotate')
        .description('wrap every data key with a new key, and take the old one out of the key file')
        .addHelpText(
          'after',
          '\nProcesses go on meanwhile; all must read the same file (ROADMETER_KEY_FILE). Stopped half way, run it again.',
        )
        .action(() =>
          withDatabase(async (store) => {
            const left = async () =>
              Number(
                (
                  await store.read<{ n: string }>(
                    `select count(*) as n from location.data_key k join location.wrapping_key w on w.id = k.kek where w.retired_at is not null`,
                  )
                )[0].n,
              )
            // One that was stopped half way is gone on with.
            const isHalfWay = (await left()) > 0
            if (!isHalfWay) await store.transaction((tx) => tx.vault.beginRotation(tx))
            const all = await left()
            const bar = progress('wrapping data keys')
            let done = 0
            for (let some = 1; some > 0; bar.to((done += some), Math.max(all, done)))
              some = await store.transaction((tx) => tx.vault.rewrap(tx, REWRAPPED_AT_ONCE))
            bar.end()
            await store.transaction((tx) => tx.vault.endRotation(tx))
            say(
              `${counted(done, 'data key')} wrapped anew; keep a copy of the key file elsewhere, and destroy the copies before`,
            )
          }),
        ),
    )

const holdCommand = (): Command =>
  new Command('hold')
    .addCommand(
      new Command('place')
        .description('place one; the citizen reads of it')
        .requiredOption('--account <id>', 'whose locations', accountId)
        .requiredOption('--by <name>', 'who orders it')
        .requiredOption('--why <reason>', 'for the record')
        .action(({ account, by, why }: { account: AccountId; by: string; why: string }) =>
          withDatabase(async (store) => {
            const now = systemClock.now()
            const id = deriveId('legal-hold', account, by, why, now).slice(0, 16)
            await store.transaction(async (tx) => {
              await knownAccount(tx, account)
              await placeHold(tx, { id, account, placedBy: by, why, placedAt: now })
              await logAccess(tx, {
                account,
                at: now,
                who: by,
                role: 'operator',
                what: 'hold',
                subject: id,
                why: `placed: ${why}`,
              })
            })
            say(`placed ${id}`)
          }),
        ),
    )
    .addCommand(
      new Command('lift')
        .description('lift one: what is past its time is destroyed within an hour')
        .argument('<id>', 'as listed')
        .requiredOption('--by <name>', 'who orders it')
        .requiredOption('--why <reason>', 'for the record')
        .action((id: string, { by, why }: { by: string; why: string }) =>
          withDatabase(async (store) => {
            const now = systemClock.now()
            await store.transaction(async (tx) => {
              const hold = (await legalHolds(tx, null, true)).find((one) => one.id === id)
              if (!hold) throw new InputError('NO_HOLD', `there is no hold ${id}: roadmeter hold list`)
              if (hold.liftedBy !== null) throw new InputError('LIFTED', `hold ${id} was lifted by ${hold.liftedBy}`)
              await liftHold(tx, id, by, why, now)
              await logAccess(tx, {
                account: hold.account,
                at: now,
                who: by,
                role: 'operator',
                what: 'hold',
                subject: id,
                why: `lifted: ${why}`,
              })
            })
            say(`lifted ${id}`)
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list holds')
        .option('--account <id>', 'of one account', accountId)
        .option('--all', 'those that were lifted, too')
        .action(({ account, all }: { account?: AccountId; all?: boolean }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction((tx) => legalHolds(tx, account ?? null, all === true))
            const cells = rows.map((row) => [
              row.id,
              row.account,
              new Date(row.placedAt).toISOString().slice(0, 16),
              row.placedBy,
              row.why,
              row.liftedBy === null ? '' : `lifted by ${row.liftedBy}`,
            ])
            say(rows.length ? columns([['id', 'account', 'placed (UTC)', 'by', 'why', ''], ...cells]) : '(none)')
          }),
        ),
    )

const forgetCommand = (): Command =>
  new Command('forget')
    .option(
      '--check',
      'change nothing; status 1 where something is left that is past its time, unsealed, or gone without a receipt',
    )
    .action(({ check }: { check?: boolean }) =>
      withDatabase(async (store, settings) => {
        const line = lineOf(settings)
        if (!check) {
          const bar = progress('accounts')
          const done = await destroyDue(store, line, (some, all) => bar.to(some, all)).finally(() => bar.end())
          say(
            `looked at ${counted(done.accounts, 'account')}: ${counted(done.receipts, 'receipt')} of what was destroyed`,
          )
        }
        const { id, holds, checked, faults } = await forgetting(store, line)
        say(`${id}  ${faults.length ? 'BROKEN' : 'holds '}  ${holds} (${grouped(checked)} accounts checked)`)
        for (const fault of faults) say(`    ${fault}`)
        if (faults.length > 0) process.exitCode = 1
      }),
    )

const breakGlassCommand = (): Command =>
  new Command('break-glass')
    .addHelpText('after', '\nWho acts is told by ROADMETER_TOKEN: see roadmeter access grant --help.')
    .addCommand(
      new Command('ask')
        .description('ask to look at a trip')
        .argument('<trip>', 'as on its statement')
        .requiredOption('--agency <id>', 'whose trip', agencyId)
        .requiredOption('--why <reason>', 'the citizen reads it')
        .action((trip: TripId, { agency, why }: { agency: AgencyId; why: string }) =>
          acting(agency, (tx, who) => askToLook(tx, who, trip, why)),
        ),
    )
    .addCommand(
      new Command('agree')
        .description('let the one who asked look, for some hours')
        .argument('<id>', 'as listed')
        .requiredOption('--agency <id>', 'whose trip', agencyId)
        .action((id: string, { agency }: { agency: AgencyId }) =>
          acting(agency, (tx, who) => agreeToLook(tx, who, id)),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list requests, newest first')
        .addArgument(new Argument('<agency>', 'whose').argParser(agencyId))
        .action((agency: AgencyId) =>
          withDatabase(async (store) => {
            const rows = await store.transaction((tx) => breakGlassOf(tx, agency))
            say(
              rows.length
                ? columns([['id', 'trip', 'by', 'agreed', 'until (UTC)', 'why'], ...rows.map(cellsOf)])
                : '(none)',
            )
          }),
        ),
    )

const cellsOf = ({ id, trip, askedBy, approvedBy, until, why }: BreakGlass): string[] => [
  id,
  trip,
  askedBy,
  approvedBy ?? '-',
  until === null ? '-' : new Date(until).toISOString().slice(0, 16),
  why,
]

const acting = (agency: AgencyId, work: (tx: Tx, who: Acting) => Promise<BreakGlass>): Promise<void> =>
  withDatabase(async (store: Store, settings: Settings) => {
    const who = await actor(store, settings, agency)
    say(columns([cellsOf(await store.transaction((tx) => work(tx, who)))]))
  })

async function knownAccount(tx: Tx, account: AccountId): Promise<void> {
  if (!(await accountById(tx, account))) throw new InputError('NO_ACCOUNT', `there is no account ${account}`)
}
