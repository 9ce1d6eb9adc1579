import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { REJECTIONS } from '#contracts'
import { type DeviceId } from '#kernel'
import { replayQuarantined, STAGES } from '#pipeline'
import { systemClock } from '#runtime'
import {
  logAccess,
  ownerOf,
  parkedWork,
  QUARANTINED_A_DAY_MAX,
  quarantined,
  quarantineRows,
  type QuarantineRow,
  retryParked,
  unkeptByDay,
} from '#store'
import { deviceId } from './arguments'
import { withDatabase } from './database'
import { operatorName } from './operator'
import { columns, counted, say } from './printed'

const number = (text: string): string => {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('expected the number of a message, as listed')
  return text
}
const LISTED_MAX = 200

const numberOf = ({ boot, seq }: QuarantineRow): string | null =>
  boot === null ? null : seq === null ? 'of a bridge' : `${boot}/${seq}`

/** `roadmeter quarantine | work`: what was rejected, and what an engine gave up. */
export const inboxCommands = (): Command[] => [
  new Command('quarantine')
    .addCommand(
      new Command('list')
        .description(`list what was rejected and not replayed, newest first, ${LISTED_MAX} at most`)
        .option('--device <id>', 'of one device', deviceId)
        .addOption(new Option('--reason <reason>', 'of one reason').choices(REJECTIONS))
        .action((of: { device?: DeviceId; reason?: string }) =>
          withDatabase(async (store) => {
            const [rows, unkept] = await store.transaction(async (tx) => [
              await quarantineRows(tx, { device: of.device ?? null, reason: of.reason ?? null, most: LISTED_MAX }),
              await unkeptByDay(tx),
            ])
            for (const [day, count] of Object.entries(unkept))
              say(`${day}: ${counted(count, 'message')} more not kept, beyond ${QUARANTINED_A_DAY_MAX} of a device`)
            if (rows.length === 0) return say('(none)')
            const cells = rows.map((row) => [
              row.id,
              new Date(row.receivedAt).toISOString(),
              row.device,
              numberOf(row) ?? '-',
              row.reason,
              row.detail,
            ])
            say(columns([['id', 'received (UTC)', 'device', 'batch', 'reason', 'detail'], ...cells], [0]))
          }),
        ),
    )
    .addCommand(
      new Command('show')
        .description('print one of them; it may hold a location')
        .addArgument(new Argument('<id>', 'as listed').argParser(number))
        .option('--raw', 'the bytes alone, as they came')
        .action((id: string, { raw }: { raw?: boolean }) =>
          withDatabase(async (store) => {
            const row = await store.transaction(async (tx) => {
              const found = await quarantined(tx, id)
              const owner = await ownerOf(tx, found.device, found.receivedAt)
              if (owner)
                await logAccess(tx, {
                  account: owner.account,
                  at: systemClock.now(),
                  who: operatorName(),
                  role: 'operator',
                  what: 'message',
                  subject: id,
                  why: `a message was rejected as ${found.reason}`,
                })
              return found
            })
            if (raw) return void process.stdout.write(row.payload)
            const at = (moment: number | null) => (moment === null ? 'never' : new Date(moment).toISOString())
            say(
              columns([
                ['device', row.device],
                ['batch', numberOf(row) ?? 'not readable'],
                ['reason', `${row.reason}: ${row.detail}`],
                ['received', at(row.receivedAt)],
                ['replayed', at(row.replayedAt)],
                ['kept', counted(row.bytes, 'byte')],
              ]),
            )
            say(printable(row.payload))
          }),
        ),
    )
    .addCommand(
      new Command('replay')
        .description('put one of them through the inbox again, after what was in its way is mended')
        .addArgument(new Argument('<id>', 'as listed').argParser(number))
        .addHelpText(
          'after',
          '\nIts time is not asked about again, its signature is. Status 1 where it is rejected once more.',
        )
        .action((id: string) =>
          withDatabase(async (store) => {
            const { fate, reason, detail } = await replayQuarantined(store, id, systemClock.now())
            say(`message ${id}: ${fate}${reason ? ` as ${reason}: ${detail}` : ''}`)
            if (fate === 'rejected') process.exitCode = 1
          }),
        ),
    ),
  new Command('work')
    .addCommand(
      new Command('list').description('list parked work with its last error').action(() =>
        withDatabase(async (store) => {
          const rows = await store.transaction((tx) => parkedWork(tx, LISTED_MAX))
          if (rows.length === 0) return say('(none)')
          const cells = rows.map((row) => [
            row.stage,
            row.key,
            String(row.attempts),
            row.parkedAt,
            row.error ?? 'its worker ended',
          ])
          say(columns([['stage', 'key', 'attempts', 'parked', 'last error'], ...cells], [2]))
        }),
      ),
    )
    .addCommand(
      new Command('retry')
        .description('give parked work another round of attempts, after what was in its way is mended')
        .addArgument(new Argument('[stage]', 'of one stage').choices(Object.keys(STAGES)))
        .argument('[key]', 'one piece, as listed')
        .action((stage?: string, key?: string) =>
          withDatabase(async (store) => {
            const rows = await store.transaction((tx) => retryParked(tx, stage ?? null, key ?? null))
            say(`${counted(rows.length, 'piece')} of work will be tried again`)
          }),
        ),
    ),
]

/** Text as text, without what a terminal would obey; anything else in hexadecimal. */
function printable(payload: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload).replace(/[^\P{Cc}\n]/gu, '\ufffd')
  } catch {
    return Buffer.from(payload).toString('hex')
  }
}
