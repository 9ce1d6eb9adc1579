import { Argument, Command } from 'commander'
import { parseOrExplain, vehicleProfileSchema } from '#contracts'
import { InputError, type Instant, type VehicleId } from '#kernel'
import { systemClock } from '#runtime'
import { saveProfile } from '#store'
import { moment, vehicleId } from './arguments'
import { withDatabase } from './database'
import { say } from './printed'

/** The method is chosen by the driver: roadmeter vehicle method. */
const saidSchema = vehicleProfileSchema.omit({ method: true })

/** `roadmeter vehicle profile VEHICLE JSON`. */
export const vehicleProfileCommand = (): Command =>
  new Command('profile')
    .description('say what a vehicle is from a moment on, where a tariff asks: weight, propulsion, programmes, ...')
    .addArgument(new Argument('<vehicle>', 'which vehicle').argParser(vehicleId))
    .argument('<json>', 'all of it: {"propulsion": "electric", "weightKg": 2100, "programmes": ["residents"]}')
    .option('--from <moment>', 'from when on; now where absent', moment)
    .addHelpText(
      'after',
      `\nIt takes the place of what was said before, and can't start in the past: trips are priced by what was known. Members: ${Object.keys(saidSchema.shape).join(', ')}.`,
    )
    .action((vehicle: VehicleId, json: string, { from }: { from?: Instant }) => {
      const profile = parseOrExplain(saidSchema, parsed(json), 'the profile')
      return withDatabase(async (store) => {
        const now = systemClock.now()
        await store.transaction((tx) => saveProfile(tx, vehicle, profile, from ?? now, now))
        say(`${vehicle}: ${JSON.stringify(profile)} from ${new Date(from ?? now).toISOString()} on`)
      })
    })

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new InputError('NOT_JSON', `the profile is not JSON: ${(error as Error).message}`)
  }
}
