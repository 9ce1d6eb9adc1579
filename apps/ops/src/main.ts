import { Command, CommanderError } from 'commander'
import { run } from '#runtime'
import { bookCommands } from './books'
import { explainCommand } from './explain'
import { devicesCommand } from './devices'
import { inboxCommands } from './inbox'
import { isLeaving, leaveOnSignals } from './leaving'
import { matchCommand } from './match'
import { mileageCommands } from './mileage'
import { migrateCommand } from './migrate'
import { networkCommand } from './network'
import { paymentCommand } from './payments'
import { policyCommand } from './policy'
import { privacyCommands } from './privacy'
import { registryCommands } from './registry'
import { replayCommand } from './replay'
import { simulateCommand } from './simulate'
import { ledgerCommand, verifyCommand } from './verify'

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

/** Every command, below one name. */
function roadmeter(): Command {
  const program = new Command('roadmeter')
    .description('Pay-per-mile road-usage charging that a city can run itself.')
    .addHelpText('after', MANUAL)
    .helpCommand(true)
  for (const command of [
    replayCommand(),
    migrateCommand(),
    ...registryCommands(),
    devicesCommand(),
    ...inboxCommands(),
    simulateCommand(),
    networkCommand(),
    policyCommand(),
    ...bookCommands(),
    paymentCommand(),
    ...mileageCommands(),
    verifyCommand(),
    ledgerCommand(),
    matchCommand(),
    explainCommand(),
    ...privacyCommands(),
  ])
    program.addCommand(command)
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
  const program = roadmeter()
  if (process.argv.length <= 2) return program.outputHelp()
  try {
    await program.parseAsync()
  } catch (error) {
    if (isLeaving()) await new Promise(() => undefined)
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? 0 : 2
  }
})
