import { Argument, Command } from 'commander'
import { formatMicros, InputError, micros, parseMicros, type AccountId, type Micros } from '#kernel'
import { currencyOf, positionOf, recordAtDesk, Reference } from '#pipeline'
import { systemClock } from '#runtime'
import { accountById, StatementRow, type Store } from '#store'
import { accountId } from './arguments'
import { withDatabase } from './database'
import { columns, money, say } from './printed'

export const amountOf = (text: string): Micros => {
  const amount = parseMicros(text)
  if (amount === null || amount <= 0n) throw new InputError('AMOUNT', `${text} is no amount such as 12.50`)
  return amount
}

/** `roadmeter payment`: money that reached the agency itself, and credit that it paid out. */
export const paymentCommand = (): Command =>
  new Command('payment')
    .addCommand(
      new Command('record')
        .description('record money received for a sealed statement; the same reference again changes nothing')
        .argument('<statement>', 'as listed by roadmeter statement list')
        .addArgument(new Argument('<amount>', 'such as 12.50').argParser(amountOf))
        .requiredOption('--reference <text>', 'what your books call it: a receipt, a bank transfer')
        .action((id: string, amount: Micros, { reference }: { reference: string }) =>
          withDatabase(async (store) => {
            const row = await store.dataSource.getRepository(StatementRow).findOneBy({ id })
            if (!row) throw new InputError('NO_STATEMENT', `there is no statement ${id}: roadmeter statement list`)
            const { currency } = JSON.parse(row.document) as { currency: string }
            await atDesk(store, row.account as AccountId, { statement: id, amount, currency, reference })
          }),
        ),
    )
    .addCommand(
      new Command('ahead')
        .description('record money received ahead of any statement')
        .addArgument(new Argument('<account>', 'who paid').argParser(accountId))
        .addArgument(new Argument('<amount>', 'such as 12.50').argParser(amountOf))
        .requiredOption('--reference <text>', 'what your books call it')
        .action((account: AccountId, amount: Micros, { reference }: { reference: string }) =>
          withAccount(account, (store, currency) =>
            atDesk(store, account, { statement: null, amount, currency, reference }),
          ),
        ),
    )
    .addCommand(
      new Command('refund')
        .description('record credit that was paid out')
        .addArgument(new Argument('<account>', 'to whom').argParser(accountId))
        .addArgument(new Argument('<amount>', 'such as 12.50').argParser(amountOf))
        .requiredOption('--reference <text>', 'what your books call it')
        .action((account: AccountId, amount: Micros, { reference }: { reference: string }) =>
          withAccount(account, (store, currency) =>
            atDesk(store, account, { statement: null, amount: micros(-amount), currency, reference }),
          ),
        ),
    )
    .addCommand(
      new Command('balance')
        .description('what an account owes, has in credit, and has driven since its last statement')
        .addArgument(new Argument('<account>', 'whose').argParser(accountId))
        .action((account: AccountId) =>
          withAccount(account, async (store, currency) => {
            const { bills, credit, accrued, available } = await store.transaction((tx) => positionOf(tx, account))
            const rows = bills.map(({ month, due, paid, held, outstanding }) => [
              month,
              ...[due, paid, held, outstanding].map((amount) => formatMicros(amount)),
            ])
            if (rows.length > 0)
              say(columns([['month', 'due', 'paid', 'disputed', 'outstanding'], ...rows], [1, 2, 3, 4]))
            say(
              `credit ${money(credit, currency)}, driven since ${money(accrued, currency)}, available ${money(available, currency)}`,
            )
          }),
        ),
    )

const withAccount = (account: AccountId, work: (store: Store, currency: string) => Promise<void>) =>
  withDatabase(async (store, settings) => {
    const row = await store.transaction((tx) => accountById(tx, account))
    if (!row) throw new InputError('NO_ACCOUNT', `there is no account ${account}: roadmeter account list`)
    await work(store, await currencyOf(store, row.agency, { clock: systemClock, settings, reference: new Reference() }))
  })

async function atDesk(
  store: Store,
  account: AccountId,
  desk: { statement: string | null; amount: Micros; currency: string; reference: string },
): Promise<void> {
  const { amount, currency, reference } = desk
  const isNew = await recordAtDesk(store, account, desk, systemClock.now())
  say(
    isNew ? `${money(amount, currency)} recorded as ${reference}` : `${reference} was recorded before: nothing changed`,
  )
}
