import { readFile } from 'node:fs/promises'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { METHODS, type Method } from '#contracts'
import {
  InputError,
  KILOMETRE_MM,
  MILE_MM,
  type AccountId,
  type AgencyId,
  type Instant,
  type Millimetres,
  type TripId,
  type VehicleId,
} from '#kernel'
import {
  chooseMethod,
  decideReview,
  distanceOf,
  enterReading,
  handOverVehicle,
  mileageOf,
  Reference,
  replaceOdometer,
  type Asker,
} from '#pipeline'
import { systemClock } from '#runtime'
import { heldForReview, readingsOf, replacementsOf, signalsOf, vehicleById, type HeldVehicle, type Store } from '#store'
import { accountId, agencyId, moment, month as monthOf, vehicleId } from './arguments'
import { withDatabase } from './database'
import { columns, distance, money, say } from './printed'
import { knownAgency } from './known'

const desk = { clock: systemClock, reference: new Reference() }
const vehicleArgument = () => new Argument('<vehicle>', 'as registered').argParser(vehicleId)
const UNITS = { km: KILOMETRE_MM, mile: MILE_MM } as const
const unit = () => new Option('--unit <unit>', 'of the odometer').choices(['km', 'mile']).default('mile')
const km = (mm: number): string => `${(mm / KILOMETRE_MM).toFixed(3)} km`
const day = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

function reading(text: string): string {
  try {
    distanceOf(text, 1)
    return text
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

interface Read {
  readonly at?: Instant
  readonly unit: keyof typeof UNITS
  readonly photo?: string
  readonly source: 'inspection' | 'photo'
}

const readOptions = (command: Command): Command =>
  command
    .option('--at <moment>', 'when it was read; now where absent', moment)
    .addOption(unit())
    .addOption(new Option('--source <source>', 'who read it').choices(['inspection', 'photo']).default('inspection'))
    .option('--photo <file>', 'a picture of the odometer (JPEG, PNG, WebP or PDF); a photo reading needs one')

async function known(store: Store, vehicle: VehicleId): Promise<HeldVehicle> {
  const row = await store.transaction((tx) => vehicleById(tx, vehicle))
  if (!row) throw new InputError('NO_VEHICLE', `there is no vehicle ${vehicle}: roadmeter vehicle add ${vehicle} ...`)
  return row
}

/** An inspection is the agency's word, a photo the owner's. */
const askerOf = ({ account, agency }: HeldVehicle, source: Read['source']): Asker =>
  source === 'photo' ? { account, by: `operator for ${account}` } : { agency, by: `operator of ${agency}` }

const bytesOf = async (file: string | undefined): Promise<Uint8Array | undefined> =>
  file === undefined
    ? undefined
    : readFile(file).catch((error: NodeJS.ErrnoException) => {
        throw new InputError('NO_FILE', `${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`)
      })

/** `roadmeter odometer | review | signal`: what is known of vehicles' miles beside their trips. */
export const mileageCommands = (): Command[] => [
  new Command('odometer')
    .addCommand(
      readOptions(
        new Command('add')
          .description('enter what an odometer shows')
          .addArgument(vehicleArgument())
          .addArgument(new Argument('<value>', 'such as 81234 or 81234.5').argParser(reading)),
      ).action((vehicle: VehicleId, value: string, given: Read) =>
        withDatabase(async (store) => {
          const asker = askerOf(await known(store, vehicle), given.source)
          const { at, mm } = await enterReading(store, desk, asker, vehicle, {
            at: given.at ?? systemClock.now(),
            mm: distanceOf(value, UNITS[given.unit]),
            photo: await bytesOf(given.photo),
          })
          say(`${vehicle}: ${km(mm)} at ${day(at)} UTC (${given.source})`)
        }),
      ),
    )
    .addCommand(
      readOptions(
        new Command('replace')
          .description('a new odometer takes over: what the old one showed last, and the new one first')
          .addArgument(vehicleArgument())
          .addArgument(new Argument('<last>', 'of the old one').argParser(reading))
          .addArgument(new Argument('<first>', 'of the new one').argParser(reading)),
      ).action((vehicle: VehicleId, last: string, first: string, given: Read) =>
        withDatabase(async (store) => {
          const asker = askerOf(await known(store, vehicle), given.source)
          const { at, finalMm, startMm } = await replaceOdometer(store, desk, asker, vehicle, {
            at: given.at ?? systemClock.now(),
            finalMm: distanceOf(last, UNITS[given.unit]),
            startMm: distanceOf(first, UNITS[given.unit]),
            photo: await bytesOf(given.photo),
          })
          say(`${vehicle}: a new odometer at ${day(at)} UTC, ${km(finalMm)} on the old one, ${km(startMm)} on the new`)
        }),
      ),
    )
    .addCommand(
      new Command('list')
        .description('list the readings of a vehicle')
        .addArgument(vehicleArgument())
        .action((vehicle: VehicleId) =>
          withDatabase(async (store) => {
            await known(store, vehicle)
            const rows = await store.transaction(async (tx) => [
              ...(await readingsOf(tx, vehicle)).map(({ at, mm, source, enteredBy }) => ({
                at,
                mm,
                source,
                by: enteredBy,
              })),
              ...(await replacementsOf(tx, vehicle)).map(({ at, startMm, source }) => ({
                at,
                mm: startMm,
                source,
                by: 'new odometer',
              })),
            ])
            rows.sort((a, b) => a.at - b.at)
            say(
              rows.length
                ? columns(
                    rows.map((r) => [day(r.at), km(r.mm), r.source, r.by]),
                    [1],
                  )
                : '(none)',
            )
          }),
        ),
    ),
  new Command('review')
    .addCommand(
      new Command('list')
        .description('list held trips: distances, no places')
        .requiredOption('--agency <id>', 'whose', agencyId)
        .action(({ agency }: { agency: AgencyId }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction(async (tx) => {
              await knownAgency(tx, agency)
              return heldForReview(tx, agency)
            })
            const cells = rows.map((r) => [
              r.trip,
              r.vehicle,
              r.month,
              km(r.meteredMm),
              km(r.odometerMm),
              km(r.rawMm),
              `${(r.permille / 10).toFixed(1)} %`,
              r.suspect,
            ])
            const head = ['trip', 'vehicle', 'month', 'metered', 'odometer', 'fixes', 'apart', 'suspect']
            say(rows.length ? columns([head, ...cells], [3, 4, 5, 6]) : '(none)')
          }),
        ),
    )
    .addCommand(decision('release', 'charge a held trip as it was metered'))
    .addCommand(decision('void', 'count the miles of a held trip, and charge nothing')),
  new Command('signal').addCommand(
    new Command('list')
      .description('list signs of tampering by vehicle and month: counts, no places')
      .requiredOption('--agency <id>', 'whose', agencyId)
      .action(({ agency }: { agency: AgencyId }) =>
        withDatabase(async (store) => {
          const rows = await store.transaction(async (tx) => {
            await knownAgency(tx, agency)
            return signalsOf(tx, agency)
          })
          say(
            rows.length
              ? columns(
                  rows.map((r) => [r.month, r.vehicle, r.signal, String(r.count)]),
                  [3],
                )
              : '(none)',
          )
        }),
      ),
  ),
]

const decision = (word: 'release' | 'void', description: string): Command =>
  new Command(word)
    .description(description)
    .argument('<trip>', 'as listed')
    .requiredOption('--agency <id>', 'whose trip', agencyId)
    .requiredOption('--reason <text>', 'why: it stays on record')
    .action((trip: TripId, { agency, reason }: { agency: AgencyId; reason: string }) =>
      withDatabase(async (store) => {
        if (reason.trim().length < 3) throw new InputError('REASON', 'a decision has a reason')
        const asker = { agency, by: `operator of ${agency}` }
        await decideReview(store, desk, asker, trip, { decision: word, reason })
        say(`trip ${trip}: ${word === 'release' ? 'released, the engine will charge it' : 'voided'}`)
      }),
    )

/** `roadmeter account mileage VEHICLE MONTH`. */
export const accountMileageCommand = (): Command =>
  new Command('mileage')
    .description("a vehicle's odometer over a month: opening, what was driven, closing")
    .addArgument(vehicleArgument())
    .addArgument(new Argument('<month>', 'such as 2026-10').argParser(monthOf))
    .option('--json', 'as JSON, in millimetres')
    .action((vehicle: VehicleId, month: string, { json }: { json?: boolean }) =>
      withDatabase(async (store) => {
        const { agency } = await known(store, vehicle)
        const account = await mileageOf(store, desk, { agency, by: `operator of ${agency}` }, vehicle, month)
        if (json) return say(JSON.stringify(account, (_, v) => (typeof v === 'bigint' ? String(v) : v)))
        const { currency = '', billing } =
          (await store.transaction((tx) => desk.reference.tariff(tx, agency))).documents.at(-1) ?? {}
        const shown = (mm: number | null) => (mm === null ? 'not read' : distance(mm, billing?.unit ?? 'km', 3))
        say(
          columns(
            [
              ['opening odometer', shown(account.openingMm)],
              ['matched to roads', shown(account.matchedMm)],
              ['between fixes', shown(account.inferredMm)],
              ['off the network', shown(account.offNetworkMm)],
              ['unreconciled', shown(account.unreconciledMm)],
              ...(account.replacedMm === 0 ? [] : [['new odometer', shown(account.replacedMm)]]),
              [`closing odometer (${account.closingIs})`, shown(account.closingMm)],
              ...account.lines.map((line) => [
                `${line.kind}${line.estimatedMm > 0 ? ' (estimated)' : ''}: ${line.days > 0 ? `${line.days} days` : distance(line.distanceMm, billing?.unit ?? 'km', 3)}`,
                money(line.amount, currency),
              ]),
              ...(account.heldTrips > 0 ? [[`${account.heldTrips} trips held for review`, shown(account.heldMm)]] : []),
            ],
            [1],
          ),
        )
      }),
    )

/** `roadmeter vehicle method VEHICLE METHOD`. */
export const vehicleMethodCommand = (): Command =>
  new Command('method')
    .description("choose how a vehicle's miles are counted")
    .addArgument(vehicleArgument())
    .addArgument(new Argument('<method>', 'location, odometer alone, or a permit for days').choices(METHODS))
    .option('--at <moment>', 'from when on; now where absent', moment)
    .option('--days <count>', 'a permit: for how many local days', Number)
    .action((vehicle: VehicleId, method: Method, { at, days }: { at?: Instant; days?: number }) =>
      withDatabase(async (store) => {
        const { account } = await known(store, vehicle)
        if ((method === 'permit') !== (days !== undefined) || (days !== undefined && !(days >= 1 && days <= 366)))
          throw new InputError('DAYS', 'a permit is for --days 1 to 366, and nothing else is')
        const asker = { account, by: `operator for ${account}` }
        const added = await chooseMethod(store, desk, asker, vehicle, { method, at, days })
        for (const choice of added) say(`${vehicle}: ${choice.method} from ${day(choice.from)} UTC on`)
      }),
    )

/** `roadmeter vehicle hand-over VEHICLE NEW_VEHICLE`. */
export const handOverCommand = (): Command =>
  new Command('hand-over')
    .description('a vehicle is sold: from a moment on it is a vehicle of another account, with its devices')
    .addArgument(vehicleArgument())
    .addArgument(new Argument('<id>', 'what it is called from then on').argParser(vehicleId))
    .requiredOption('--to <account>', 'the account that has it from then on', accountId)
    .requiredOption('--name <name>', 'what its new owner calls it')
    .requiredOption('--odometer <value>', 'what the odometer shows then', reading)
    .addOption(unit())
    .option('--at <moment>', 'when; now where absent', moment)
    .action(
      (
        vehicle: VehicleId,
        id: VehicleId,
        given: { to: AccountId; name: string; odometer: string; unit: keyof typeof UNITS; at?: Instant },
      ) =>
        withDatabase(async (store) => {
          const { agency } = await known(store, vehicle)
          const at = given.at ?? systemClock.now()
          const mm: Millimetres = distanceOf(given.odometer, UNITS[given.unit])
          const asker = { agency, by: `operator of ${agency}` }
          const to = { vehicle: id, account: given.to, name: given.name }
          await handOverVehicle(store, desk, asker, vehicle, to, { at, mm })
          say(`${vehicle} is ${id} of ${given.to} from ${day(at)} UTC on, at ${km(mm)}`)
        }),
    )
