import { Module } from '@nestjs/common'
import { SingleBar, Presets } from 'cli-progress'
import { InputError } from '#kernel'
import { LINE, reconcile, type Line } from '#pipeline'
import { EngineModule, IngestModule } from '#pipeline/module'
import { localClock } from '#policy'
import { openLog, run, settingsOfProcess, systemClock, ToldClock, type Settings } from '#runtime'
import { RuntimeModule } from '#runtime/module'
import { Store } from '#store'
import { StoreModule } from '#store/module'
import { ApiModule, serve } from '../../api/src'
import { BASELINE, demoToken, MONTH, openCity, register } from './city'
import { closeBaseline, closeMonth, driveMonth, isSealed, openOffice, planMonth, settle, type Stage } from './month'
import { findingLines, firstStatements, monthSummary } from './summary'
import { TARIFF } from './tariff'

/** A month is told in minutes, so work that time makes due is looked for more often than in a month that is lived. */
const QUICK = {
  ROADMETER_LOG: 'warn',
  ROADMETER_SWEEP_MS: '500',
  ROADMETER_PAYMENTS: 'local',
  ROADMETER_OIDC_ISSUER: 'demo',
  // Its invariants are checked and shown at the end.
  ROADMETER_RECONCILE_MS: '0',
  // The month is over in a minute, and is there to be looked at.
  ROADMETER_KEEP_FIXES_HOURS: '2160',
}

/** Exit status of a process that Ctrl-C ended before its work was done. */
const STOPPED = 130

run(async () => {
  const unknown = process.argv.slice(2).find((word) => word !== '--exit')
  if (unknown) throw new InputError('USAGE', `unknown option ${unknown}; npm start -- --exit stops after the summary`)
  const settings = settingsOfProcess(QUICK)
  refuseServices(settings)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // Whoever asks twice doesn't want to wait for order: what is durable is resumed all the same.
      if (stop.signal.aborted) process.exit(STOPPED)
      stop.abort()
    })
  const began = systemClock.now()

  say(`Opening the embedded database in ${settings.dataDir} (the first time takes some 15 seconds)`)
  const clock = new ToldClock(localClock(TARIFF.timeZone).spanOf(BASELINE.from).from)
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
      say(
        `\nServing on ${url}: the api is described at ${url}/docs. Ctrl-C stops; the next start resumes.\nSign in at ${url}/auth/login as any of the city's made-up people, or with a link of those above.`,
      )
      if (!stop.signal.aborted) await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
    say('\nStopped. The next start resumes where this one was.')
  } finally {
    await app.close()
  }
  process.exit(stop.signal.aborted && !holds ? STOPPED : holds ? 0 : 1)
})

/** Days that are driven: a week of September, and October. */
const DAYS = 38

/** Drives and closes the month where that isn't done yet, prints what it came to, and tells whether the invariants hold. */
async function demo(stage: Stage, line: Line, url: string, began: number): Promise<boolean> {
  say('Reading Gothenburg © OpenStreetMap contributors, and moving people in')
  const { stop } = stage
  const city = openCity()
  await register(stage.store, city, stage.clock.now())
  const days = await withBar(stop, 'planning days', DAYS, (bar) => planMonth(city, (done) => bar.update(done)))
  const before = days.filter(({ name }) => name.startsWith(BASELINE.month))
  const trips = days.reduce((sum, day) => sum + day.trips.length, 0)
  if (await isSealed(stage.store)) say(`${MONTH} was driven and sealed before: nothing is charged again`)
  else {
    await driveMonth(stage, before, () => stop.throwIfAborted())
    await settle(stage, () => stop.throwIfAborted())
    await closeBaseline(stage)
    await withBar(stop, 'driving trips', trips, (bar) => driveMonth(stage, days, (done) => bar.update(done)))
    await withBar(stop, 'pricing trips', trips, (bar) => settle(stage, (left) => bar.update(Math.max(0, trips - left))))
    say('Closing the month: draft, review, seal')
    await closeMonth(stage)
    await openOffice(stage, city)
    await settle(stage, () => stop.throwIfAborted())
  }
  stop.throwIfAborted()
  say('')
  for (const text of await monthSummary(stage.store, days)) say(text)
  stop.throwIfAborted()
  say('\nThe portal, with the link that signs in')
  for (const role of ['agency', 'editor', 'approver', 'analyst', 'auditor'])
    say(`${role.padEnd(20)} ${url}/enter?token=${demoToken(role)}`)
  say('\nStatements, each with the link that signs its citizen in')
  for (const text of await firstStatements(stage.store, url)) say(text)
  say(`after ${Math.round((systemClock.now() - began) / 1000)} seconds\n`)
  const findings = await withBar(stop, 'checking trips', trips, (bar) =>
    reconcile(stage.store, line, (done) => bar.update(done)),
  )
  for (const text of findingLines(findings)) say(text)
  return findings.every((finding) => finding.faults.length === 0)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** The pilot's tokens can be worked out from its source and its clock is told: nothing that others use may hear of it. */
function refuseServices({ databaseUrl, mqttUrl, redisUrl }: Settings): void {
  const given = Object.entries({ DATABASE_URL: databaseUrl, MQTT_URL: mqttUrl, REDIS_URL: redisUrl })
  const names = given.filter(([, url]) => url !== '').map(([name]) => name)
  if (names.length > 0)
    throw new InputError(
      'PILOT_SERVICES',
      `the pilot is a demo with made-up people, tokens that anybody can work out and a clock that is told, so it runs on its embedded services alone: unset ${names.join(' and ')}; for a city run ingest, engine and api`,
    )
}

/** Shows a bar while `work` goes on; without a terminal only what it came to. Each step throws once `stop` is aborted. */
async function withBar<T>(
  stop: AbortSignal,
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
    return await work({
      update(done) {
        stop.throwIfAborted()
        bar.update(done)
      },
    })
  } finally {
    bar.stop()
    if (!process.stdout.isTTY)
      say(`${what.padEnd(14)} ${total} in ${((systemClock.now() - began) / 1000).toFixed(1)} s`)
  }
}
