import { Command, CommanderError } from 'commander'
import { invariant } from '#kernel'
import { run } from '#runtime'
import { isLeaving, leaveOnSignals } from './leaving'

const MANUAL = `
A city from nothing:
  roadmeter migrate
  roadmeter agency add my-city --name "City of Mine"
  roadmeter network import my-city.osm.pbf --agency my-city
  roadmeter policy check tariff.json && roadmeter policy file tariff.json --agency my-city
  roadmeter account add ann --agency my-city --name "Ann"
  roadmeter vehicle add anns-car --account ann --name "the blue car"
  roadmeter devices add device-0001 --vehicle anns-car
  roadmeter access grant --role citizen --agency my-city --account ann

What recorded drives would have cost, without any of that:
  roadmeter replay drives.gpx --network my-city.osm.pbf --policy tariff.json

Commands that need the database use DATABASE_URL, or the embedded one in ROADMETER_DATA (./data), which one process
at a time can use. Exit status: 0 done, 1 checked and found broken (or a bug), 2 bad input, 130 stopped by Ctrl-C.`

type Load = () => Promise<Command | readonly Command[]>

/** Libraries take a second to load, so a room of commands is loaded when one of it is asked for. */
const replay: Load = async () => (await import('./replay/index.js')).replayCommand()
const migrate: Load = async () => (await import('./migrate.js')).migrateCommand()
const registry: Load = async () => (await import('./registry.js')).registryCommands()
const access: Load = async () => (await import('./access.js')).accessCommand()
const devices: Load = async () => (await import('./devices.js')).devicesCommand()
const inbox: Load = async () => (await import('./inbox.js')).inboxCommands()
const simulate: Load = async () => (await import('./simulate/index.js')).simulateCommand()
const network: Load = async () => (await import('./network.js')).networkCommand()
const policy: Load = async () => (await import('./policy/index.js')).policyCommand()
const books: Load = async () => (await import('./books.js')).bookCommands()
const exporting: Load = async () => (await import('./exports.js')).exportCommand()
const accuracy: Load = async () => (await import('./accuracy.js')).accuracyCommand()
const payments: Load = async () => (await import('./payments.js')).paymentCommand()
const mileage: Load = async () => (await import('./mileage.js')).mileageCommands()
const verify: Load = async () => (await import('./verify.js')).verifyCommand()
const ledger: Load = async () => (await import('./verify.js')).ledgerCommand()
const match: Load = async () => (await import('./match.js')).matchCommand()
const explain: Load = async () => (await import('./explain/index.js')).explainCommand()
const privacy: Load = async () => (await import('./privacy.js')).privacyCommands()

/** Every command, with what it is for. */
const COMMANDS: Readonly<Record<string, readonly [about: string, load: Load]>> = {
  replay: ['send recorded drives through the whole line, over MQTT, to charges and sealed statements', replay],
  migrate: ['make the database, or bring its schema up to date', migrate],
  agency: ['cities and authorities that charge for their roads', registry],
  account: ['those who pay: they hold vehicles and receive statements', registry],
  vehicle: ['vehicles: what is driven and rated', registry],
  access: ['who may sign in, and with what', access],
  devices: ['on-board devices: what sends batches over MQTT or HTTPS', devices],
  quarantine: ['messages that were rejected, each with its reason', inbox],
  work: ['work that failed so often that it is parked', inbox],
  simulate: ['a fleet of made-up devices that drive, send over MQTT and honour receipts', simulate],
  network: ['road networks that trips are matched on', network],
  policy: ['tariffs: what a mile costs, where, when and for whom', policy],
  close: ['ask for the close of a month: cut-off, drafts, review, seal', books],
  reconcile: [
    'check every invariant against all that is stored, and change nothing; status 1 where one is broken',
    books,
  ],
  statement: ['drafted and sealed statements', books],
  export: ['tables of a closed month for analysts, as CSV, Parquet or GeoParquet', exporting],
  payment: ['money received and paid back at the desk, and what an account owes', payments],
  odometer: ['readings of odometers, and new odometers', mileage],
  review: [
    'trips that are held because odometer and metered distance do not agree; nothing is charged meanwhile',
    mileage,
  ],
  signal: ['signs of tampering', mileage],
  verify: ['recompute a statement from the published policies, offline; status 1 where it does not add up', verify],
  ledger: ['the books', ledger],
  accuracy: ['what the chain from fix to charge makes of seeded drives whose truth is known', accuracy],
  match: ['match recorded drives to a road network and write the edges that were driven', match],
  explain: ['say of a trip what became of its fixes, which way was found, how surely, and what it cost', explain],
  keys: ['the keys under which locations are kept', privacy],
  hold: ['legal holds: nothing of an account is destroyed before they are lifted', privacy],
  forget: ['destroy what is past its time now, as the engine does every hour', privacy],
  'break-glass': ['to look at where a citizen drove: one asks, an approver agrees, the citizen is told', privacy],
}
const ALIASES: Readonly<Record<string, string>> = { devices: 'device' }

/** Every command, below one name; whole is the one that `words` ask for. */
async function roadmeter(words: readonly string[]): Promise<Command> {
  const program = new Command('roadmeter')
    .description('Pay-per-mile road-usage charging that a city can run itself.')
    .addHelpText('after', MANUAL)
    .helpCommand(true)
  const asked = words.find((word) => word !== 'help' && !word.startsWith('-'))
  for (const [name, [about, load]] of Object.entries(COMMANDS)) {
    const isAsked = asked !== undefined && (asked === name || asked === ALIASES[name])
    const loaded = isAsked ? [await load()].flat().find((command) => command.name() === name) : new Command(name)
    invariant(loaded, `there is no command ${name} where it was looked for`)
    if (ALIASES[name]) loaded.alias(ALIASES[name])
    program.addCommand(loaded.description(about))
  }
  speakPlainly(program)
  return program
}

/** Faults of the command line in one line, and as exceptions: what is open is then closed as after any other. */
function speakPlainly(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (text, write) =>
      write(
        `roadmeter: ${text
          .trim()
          .replace(/^error: /, '')
          .replace(/\s*\n\s*/g, ' ')} (see --help)\n`,
      ),
  })
  command.commands.forEach(speakPlainly)
}

run(async () => {
  leaveOnSignals()
  const program = await roadmeter(process.argv.slice(2))
  if (process.argv.length <= 2) return program.outputHelp()
  try {
    await program.parseAsync()
  } catch (error) {
    if (isLeaving()) await new Promise(() => undefined)
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? 0 : 2
  }
})
