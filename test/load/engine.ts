import { instant } from '#kernel'
import { localBell } from '#messaging'
import { Engine, Reference } from '#pipeline'
import { Metrics, openLog, readSettings, ToldClock } from '#runtime'
import { dataSourceOptions, openDataSource, Store } from '#store'

/** What a bench tells an engine: the time, and with it to begin. */
export interface ToldTime {
  readonly now: number
}
/** What an engine answers, and says once when it is ready to begin: its memory at its largest, in MiB. */
export interface EngineMemory {
  readonly rssMb: number
}

/** An engine as it is in production, a process of its own, but for its clock. It ends with the bench that started it. */
async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const clock = new ToldClock(instant(0))
  const source = await openDataSource(await dataSourceOptions(settings), false)
  const log = openLog(settings, 'bench')
  const bell = localBell(log)
  const line = { clock, settings, reference: new Reference() }
  const engine = new Engine(new Store(source), bell, line, settings, new Metrics(), log)
  const answer = () =>
    process.send!({ rssMb: process.resourceUsage().maxRSS / 1024 } satisfies EngineMemory, () => undefined)
  let begun = false
  process.on('message', ({ now }: ToldTime) => {
    clock.advanceTo(instant(now))
    if (!begun) void engine.start()
    begun = true
    answer()
  })
  process.on('disconnect', () => process.exit())
  answer()
}

void main()
