import { Argument, Command, InvalidArgumentError } from 'commander'
import { InputError, type AgencyId, type Micros } from '#kernel'
import { giveBudgets, payOutBudgets, Reference } from '#pipeline'
import { systemClock } from '#runtime'
import { agencyId } from './arguments'
import { withDatabase } from './database'
import { knownAgency } from './known'
import { amountOf } from './payments'
import { counted, money, say } from './printed'

function reference(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(text)) throw new InvalidArgumentError('expected 1 to 60 of a-z, 0-9 and -')
  return text
}

/** `roadmeter agency endow | pay-out`: travel budgets of those who take part in a trial. */
export const endowmentCommands = (): Command[] => [
  new Command('endow')
    .description(
      'give each vehicle a travel budget that its miles eat up; the same reference again gives to new ones alone',
    )
    .addArgument(new Argument('<id>', 'the agency').argParser(agencyId))
    .requiredOption('--amount <amount>', 'for each vehicle, such as 150.00', amountOf)
    .requiredOption('--reference <name>', 'what the trial is called', reference)
    .option('--arm <arm>', 'only vehicles that are drawn into this arm of the pilot')
    .action((agency: AgencyId, given: { amount: Micros; reference: string; arm?: string }) =>
      withDatabase(async (store, settings) => {
        await store.transaction((tx) => knownAgency(tx, agency))
        const line = { clock: systemClock, settings, reference: new Reference() }
        const { vehicles, amount, currency } = await giveBudgets(store, line, {
          agency,
          ...given,
          arm: given.arm ?? null,
        })
        if (vehicles === 0 && given.arm !== undefined)
          throw new InputError(
            'NO_VEHICLES',
            `no vehicle of arm ${given.arm} is without a budget of ${given.reference}`,
          )
        say(`${counted(vehicles, 'vehicle')} given ${money(amount, currency)} in all`)
      }),
    ),
  new Command('pay-out')
    .description('pay out what is left of the travel budgets of a trial, each once; then hand the money over')
    .addArgument(new Argument('<id>', 'the agency').argParser(agencyId))
    .requiredOption('--reference <name>', 'what the trial is called', reference)
    .action((agency: AgencyId, given: { reference: string }) =>
      withDatabase(async (store, settings) => {
        await store.transaction((tx) => knownAgency(tx, agency))
        const line = { clock: systemClock, settings, reference: new Reference() }
        const { accounts, vehicles, amount, currency } = await payOutBudgets(store, line, { agency, ...given })
        say(
          `${money(amount, currency)} paid out to ${counted(accounts, 'account')}, of the budgets of ${counted(vehicles, 'vehicle')}`,
        )
      }),
    ),
]
