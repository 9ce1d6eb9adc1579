import { Module } from '@nestjs/common'
import { SingleBar, Presets } from 'cli-progress'
import { InputError } from '#kernel'
import { EngineModule, IngestModule, LINE, reconcile, type Line } from '#pipeline'
import { localClock } from '#policy'
import { openLog, run, RuntimeModule, settingsOfProcess, systemClock, ToldClock } from '#runtime'
import { Store, StoreModule } from '#store'
import { ApiModule, serve } from '../../api/src'
import { demoToken, MONTH, openCity, register } from './city'
import { closeMonth, driveMonth, isSealed, planMonth, settle, type Stage } from './month'
import { findingLines, firstStatements, monthSummary } from './summary'
import { TARIFF } from './tariff'

/** A month is told in minutes, so work that time makes due is looked for more often than in a month that is lived. */
const QUICK = { ROADMETER_LOG: 'warn', ROADMETER_SWEEP_MS: '500' }

run(async () => {
  const unknown = process.argv.slice(2).find((word) => word !== '--exit')
  if (unknown) throw new InputError('USAGE', `unknown option ${unknown}; npm start -- --exit stops after the summary`)
  const settings = settingsOfProcess(QUICK)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
  const began = systemClock.now()

  say(
    settings.databaseUrl
      ? 'Opening the database'
      : `Opening the embedded database in ${settings.dataDir} (the first time takes some 15 seconds)`,
  )
  const clock = new ToldClock(localClock(TARIFF.timeZone).spanOf(MONTH).from)
  @Module({
    imports: [
      RuntimeModule.with('pilot', settings, clock),
      StoreModule.open({ migrate: true }),
      IngestModule,
      EngineModule,
      ApiModule,
    ],
  })
  class PilotProcess {}
  const { app, url } = await serve(PilotProcess, settings, openLog(settings, 'pilot'))
  const stage: Stage = { store: app.get(Store), clock, mqttUrl: app.get(IngestModule).url, stop: stop.signal }
  let holds = false
  try {
    holds = await demo(stage, app.get<Line>(LINE, { strict: false }), url, began)
    clock.letRun(systemClock)
    if (!process.argv.includes('--exit')) {
      say(`\nServing on ${url}: the api is described at ${url}/docs. Ctrl-C stops; the next start resumes.`)
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
    say('\nStopped. The next start resumes where this one was.')
  } finally {
    await app.close()
  }
  process.exit(stop.signal.aborted && !holds ? 130 : holds ? 0 : 1)
})

/** Drives and closes the month where that isn't done yet, prints what it came to, and tells whether the invariants hold. */
async function demo(stage: Stage, line: Line, url: string, began: number): Promise<boolean> {
  say('Reading Gothenburg © OpenStreetMap contributors, and moving people in')
  const city = openCity()
  await register(stage.store, city)
  const days = await withBar('planning days', 31, (bar) => planMonth(city, (done) => bar.update(done)))
  const trips = days.reduce((sum, day) => sum + day.trips.length, 0)
  if (await isSealed(stage.store)) say(`${MONTH} was driven and sealed before: nothing is charged again`)
  else {
    await withBar('driving trips', trips, (bar) => driveMonth(stage, days, (done) => bar.update(done)))
    await withBar('pricing trips', trips, (bar) => settle(stage, (left) => bar.update(Math.max(0, trips - left))))
    say('Closing the month: draft, review, seal')
    await closeMonth(stage)
  }
  say('')
  for (const text of await monthSummary(stage.store, days)) say(text)
  say(
    `\nStatements, each with the link that signs its citizen in (the agency's: ${url}/enter?token=${demoToken('agency')})`,
  )
  for (const text of await firstStatements(stage.store, url)) say(text)
  say(`after ${Math.round((systemClock.now() - began) / 1000)} seconds\n`)
  const findings = await withBar('checking trips', trips, (bar) =>
    reconcile(stage.store, line, (done) => bar.update(done)),
  )
  for (const text of findingLines(findings)) say(text)
  return findings.every((finding) => finding.faults.length === 0)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Shows a bar while `work` goes on; without a terminal only what it came to. */
async function withBar<T>(
  what: string,
  total: number,
  work: (bar: { update(done: number): void }) => T | Promise<T>,
): Promise<T> {
  const bar = new SingleBar(
    { format: `${what.padEnd(14)} {bar} {value}/{total} {eta_formatted}`, hideCursor: true, noTTYOutput: false },
    Presets.shades_classic,
  )
  bar.start(total, 0)
  const began = systemClock.now()
  try {
    return await work(bar)
  } finally {
    bar.stop()
    if (!process.stdout.isTTY)
      say(`${what.padEnd(14)} ${total} in ${((systemClock.now() - began) / 1000).toFixed(1)} s`)
  }
}
