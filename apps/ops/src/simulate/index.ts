import { Command, InvalidArgumentError, Option } from 'commander'
import { FIXES_PER_BATCH_MAX } from '#contracts'
import { NO_TROUBLE, RECEIVER, SOME_TROUBLE, URBAN_RECEIVER } from '#fleet'
import { instant, type AgencyId } from '#kernel'
import { systemClock } from '#runtime'
import { networksOf, saveNetwork } from '#store'
import { agencyId } from '../arguments'
import { withDatabase } from '../database'
import { knownAgency } from '../known'
import { counted, grouped, progress, say } from '../printed'
import { enrolCast, networkOf, readCast } from './cast'
import { simulate } from './drive'

const whole =
  (min: number, max: number) =>
  (text: string): number => {
    if (!/^\d{1,9}$/.test(text) || +text < min || +text > max)
      throw new InvalidArgumentError(`expected a whole number, ${min} to ${max}`)
    return +text
  }

/** 2026-01-01: starts are numbered by the second since. */
const BOOTS_FROM_S = 1_767_225_600

interface Drive {
  readonly cast: string
  readonly url: string
  readonly network?: string
  readonly days: number
  readonly rate?: number
  readonly drivers?: number
  readonly fixesPerBatch: number
  readonly boot?: number
  readonly trouble: 'none' | 'some'
  readonly receiver: 'good' | 'urban'
  readonly seconds?: number
  readonly history?: string
  readonly json?: boolean
}

/** `roadmeter simulate enrol | drive`: made-up devices with known truth, over real MQTT. */
export const simulateCommand = (): Command =>
  new Command('simulate')
    .addCommand(
      new Command('enrol')
        .description('register accounts, vehicles and devices, and write the secrets of the devices to a file')
        .requiredOption('--agency <id>', 'whose roads they drive on', agencyId)
        .requiredOption('--cast <file>', 'where the secrets go')
        .option('--devices <n>', 'how many', whole(1, 100_000), 20)
        .option('--seed <text>', 'the same seed, the same fleet', 'simulation')
        .option('--network <file>', 'map for an agency that has none; Gothenburg without it')
        .option('--unsigned', 'devices without keys: their batches are not signed')
        .action(
          (given: {
            agency: AgencyId
            cast: string
            devices: number
            seed: string
            network?: string
            unsigned?: boolean
          }) =>
            withDatabase(async (store) => {
              const networks = await store.transaction(async (tx) => {
                await knownAgency(tx, given.agency)
                return networksOf(tx, given.agency)
              })
              if (networks.length === 0) {
                const network = await networkOf(given.network)
                await store.transaction((tx) =>
                  saveNetwork(tx, given.agency, network, { name: 'simulation', activeFrom: instant(0) }),
                )
              }
              const { seed, devices: size, cast: file } = given
              const cast = await enrolCast(
                store,
                given.agency,
                { seed, size, signed: !given.unsigned, file },
                systemClock.now(),
              )
              say(`${counted(cast.devices.length, 'device')} of ${given.agency}; their secrets are in ${file}`)
            }),
        ),
    )
    .addCommand(
      new Command('drive')
        .description('drive and send until every batch has its receipt; needs no database')
        .requiredOption('--cast <file>', 'made by simulate enrol')
        .requiredOption('--url <url>', 'where devices connect to: mqtt://...')
        .option('--network <file>', 'the map that they drive on; Gothenburg without it')
        .option('--days <n>', 'days driven, up to yesterday', whole(1, 34), 1)
        .option('--rate <n>', 'fixes a second, all together; without it as fast as it goes', whole(1, 10_000_000))
        .option('--drivers <n>', 'ways to drive: with fewer than devices several drive the same', whole(1, 100_000))
        .option('--fixes-per-batch <n>', 'fixes in a batch', whole(1, FIXES_PER_BATCH_MAX), 60)
        .option(
          '--boot <n>',
          'start that the devices are in; without it one that no earlier run had',
          whole(0, 900_000_000),
        )
        .option('--seconds <n>', 'stop sending after so long', whole(1, 1_000_000))
        .option('--history <file>', 'write what was driven, sent and heard, as JSON lines')
        .option('--json', 'print what it came to as JSON')
        .addOption(
          new Option('--trouble <much>', 'clocks that are off, reboots, silences, repeats, shuffled boots')
            .choices(['none', 'some'])
            .default('some'),
        )
        .addOption(new Option('--receiver <kind>', 'how the receivers err').choices(['good', 'urban']).default('urban'))
        .action(async (given: Drive) => {
          const cast = readCast(given.cast)
          const bar = progress('receipts')
          const result = await simulate(
            {
              cast,
              network: await networkOf(given.network),
              receiver: given.receiver === 'urban' ? URBAN_RECEIVER : RECEIVER,
              trouble: given.trouble === 'some' ? SOME_TROUBLE : NO_TROUBLE,
              url: given.url,
              days: given.days,
              until: systemClock.now(),
              fixesPerBatch: given.fixesPerBatch,
              boot: given.boot ?? Math.floor(systemClock.now() / 1000) - BOOTS_FROM_S,
              rate: given.rate ?? Infinity,
              drivers: given.drivers ?? cast.devices.length,
              secondsMax: given.seconds ?? Infinity,
              history: given.history ?? null,
              resendMs: 5_000,
            },
            (sent, receipted) => bar.to(receipted, sent),
          ).finally(() => bar.end())
          if (given.json) return say(JSON.stringify(result))
          say(
            `${counted(result.devices, 'device')} sent ${grouped(result.batches)} batches with ${grouped(result.fixes)} fixes in ${result.seconds} s: ${grouped(result.fixesPerS)} fixes/s; every batch has its receipt (p50 ${result.receiptP50Ms} ms, p99 ${result.receiptP99Ms} ms)`,
          )
        }),
    )
