import { randomBytes } from 'node:crypto'
import { Argument, Command, Option } from 'commander'
import { VEHICLE_CLASSES, type VehicleClass } from '#contracts'
import { InputError, type AccountId, type AgencyId, type Instant, type VehicleId } from '#kernel'
import { AccountRow, AgencyRow, saveAccount, saveAgency, saveVehicle, setNotice, startPilot, vehiclesOf } from '#store'
import { systemClock } from '#runtime'
import { accountId, agencyId, arms, moment, vehicleId, wholeDays } from './arguments'
import { withDatabase } from './database'
import { endowmentCommands } from './endowments'
import { knownAccount, knownAgency } from './known'
import { accountMileageCommand, handOverCommand, vehicleMethodCommand } from './mileage'
import { vehicleProfileCommand } from './profile'
import { columns, say } from './printed'

/** `roadmeter agency | account | vehicle | access`: who takes part. */
export const registryCommands = (): Command[] => [
  endowmentCommands()
    .reduce((command, one) => command.addCommand(one), new Command('agency'))
    .addCommand(
      new Command('add')
        .description('add an agency, or give one another name')
        .addArgument(new Argument('<id>', '3 to 40 of a-z, 0-9 and -').argParser(agencyId))
        .requiredOption('--name <name>', 'as printed on statements')
        .action((id: AgencyId, { name }: { name: string }) =>
          withDatabase(async (store) => {
            await store.transaction((tx) => saveAgency(tx, { id, name }))
            say(`agency ${id}: ${name}`)
          }),
        ),
    )
    .addCommand(
      new Command('pilot')
        .description("draw the agency's vehicles into arms from a moment on, for policies whose rules name arms")
        .addArgument(new Argument('<id>', 'the agency').argParser(agencyId))
        .requiredOption('--arms <parts>', 'such as control=1,treated=1', arms)
        .requiredOption('--from <moment>', 'in the future', moment)
        .requiredOption('--reason <text>', 'why, for the record')
        .option('--seed <text>', 'what the draw follows from; a random one is made and kept where not said')
        .action((id: AgencyId, given: { arms: Record<string, number>; from: Instant; reason: string; seed?: string }) =>
          withDatabase(async (store) => {
            const seed = given.seed ?? randomBytes(32).toString('base64url')
            await store.transaction(async (tx) => {
              await knownAgency(tx, id)
              await startPilot(tx, id, { ...given, seed }, systemClock.now())
            })
            say(`vehicles of ${id} are in arms from ${new Date(given.from).toISOString()} on\nseed ${seed}`)
          }),
        ),
    )
    .addCommand(
      new Command('notice')
        .description(
          'say how long before it starts a policy must be public, where policies are approved; 30 days unless said',
        )
        .addArgument(new Argument('<id>', 'the agency').argParser(agencyId))
        .requiredOption('--days <count>', 'whole days, 0 to 366', wholeDays)
        .requiredOption('--reason <text>', 'why, for the record')
        .action((id: AgencyId, { days, reason }: { days: number; reason: string }) =>
          withDatabase(async (store) => {
            await store.transaction(async (tx) => {
              await knownAgency(tx, id)
              await setNotice(tx, id, days, reason, systemClock.now())
            })
            say(`policies of ${id} are public ${days} days before they start`)
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list all agencies')
        .action(() =>
          withDatabase(async (store) =>
            sayRows(
              (await store.dataSource.getRepository(AgencyRow).find({ order: { id: 'ASC' } })).map((row) => [
                row.id,
                row.name,
              ]),
            ),
          ),
        ),
    ),
  new Command('account')
    .addCommand(accountMileageCommand())
    .addCommand(
      new Command('add')
        .description('add an account, or give one another name')
        .addArgument(new Argument('<id>', '3 to 40 of a-z, 0-9 and -').argParser(accountId))
        .requiredOption('--agency <id>', 'whose account it is', agencyId)
        .requiredOption('--name <name>', 'as printed on statements')
        .action((id: AccountId, { agency, name }: { agency: AgencyId; name: string }) =>
          withDatabase(async (store) => {
            const saved = await store.transaction(async (tx) => {
              await knownAgency(tx, agency)
              return saveAccount(tx, { id, agency, name })
            })
            if (saved === 0) throw new InputError('TAKEN', `account ${id} is another agency's`)
            say(`account ${id} of ${agency}: ${name}`)
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list the accounts of an agency')
        .requiredOption('--agency <id>', 'whose accounts', agencyId)
        .action(({ agency }: { agency: AgencyId }) =>
          withDatabase(async (store) => {
            await store.transaction((tx) => knownAgency(tx, agency))
            const accounts = store.dataSource.getRepository(AccountRow)
            sayRows((await accounts.find({ where: { agency }, order: { id: 'ASC' } })).map((row) => [row.id, row.name]))
          }),
        ),
    ),
  new Command('vehicle')
    .addCommand(vehicleMethodCommand())
    .addCommand(vehicleProfileCommand())
    .addCommand(handOverCommand())
    .addCommand(
      new Command('add')
        .description('add a vehicle, or give one another name')
        .addArgument(new Argument('<id>', '3 to 40 of a-z, 0-9 and -').argParser(vehicleId))
        .requiredOption('--account <id>', 'who pays for it', accountId)
        .requiredOption('--name <name>', 'what its owner calls it; no plate is needed')
        .addOption(new Option('--class <class>', 'vehicle class').choices(VEHICLE_CLASSES).default('car'))
        .action((vehicle: VehicleId, given: { account: AccountId; name: string; class: VehicleClass }) =>
          withDatabase(async (store) => {
            await knownAccount(store, given.account)
            const saved = await store.transaction((tx) =>
              saveVehicle(tx, { vehicle, account: given.account, name: given.name, vehicleClass: given.class }),
            )
            if (saved === 0) throw new InputError('TAKEN', `vehicle ${vehicle} is another account's`)
            say(`vehicle ${vehicle} of ${given.account}: ${given.name} (${given.class})`)
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list the vehicles of an account')
        .requiredOption('--account <id>', 'whose vehicles', accountId)
        .action(({ account }: { account: AccountId }) =>
          withDatabase(async (store) => {
            await knownAccount(store, account)
            const vehicles = await store.transaction((tx) => vehiclesOf(tx, account))
            sayRows(vehicles.map((row) => [row.vehicle, row.vehicleClass, row.name]))
          }),
        ),
    ),
]

const sayRows = (rows: readonly (readonly string[])[]): void => say(rows.length ? columns(rows) : '(none)')
