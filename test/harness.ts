import fs from 'node:fs'
import path from 'node:path'
import { Module } from '@nestjs/common'
import { type NestFastifyApplication } from '@nestjs/platform-fastify'
import { instant, type AccountId, type AgencyId, type DeviceId, type Instant, type VehicleId } from '#kernel'
import { parsePolicy } from '#policy'
import { LINE, type Line, reconcile } from '#pipeline'
import { EngineModule, IngestModule } from '#pipeline/module'
import { type RoadNetwork } from '#road-network'
import { CLOCK, openLog, readSettings, type Settings, ToldClock } from '#runtime'
import { RuntimeModule } from '#runtime/module'
import {
  backlog,
  grantAccess,
  nameOfficer,
  saveAccount,
  saveAgency,
  saveDevice,
  saveNetwork,
  filePolicy,
  saveVehicle,
  Store,
  type Role,
} from '#store'
import { StoreModule } from '#store/module'
import { ApiModule, serve } from '../apps/api/src'
import { copyTemplate, newFolder, toldDatabase } from './databases'

/** A whole Roadmeter in this process, on an embedded database of its own, with a clock that tests tell the time. */
export interface World {
  readonly app: NestFastifyApplication
  readonly clock: ToldClock
  readonly store: Store
  readonly line: Line
  readonly mqttUrl: string
  readonly httpUrl: string
  readonly settings: Settings
  close(): Promise<void>
}

/**
 * `environment` overrides settings. The database is embedded, in a folder given or of its own, unless DATABASE_URL is in it;
 * a world without a folder given is on the server of ROADMETER_TEST_DATABASE_URL, which takes a third of the time, if that is set.
 */
export async function openWorld(
  now: Instant,
  environment: Record<string, string> = {},
  given?: string,
): Promise<World> {
  const folder = given ?? newFolder()
  const database = given || environment.DATABASE_URL !== undefined ? null : await toldDatabase()
  if (database) environment = { DATABASE_URL: database.url, ...environment }
  if (!environment.DATABASE_URL && !fs.existsSync(path.join(folder, 'db'))) await copyTemplate(folder)
  const settings = readSettings({
    ROADMETER_DATA: folder,
    ROADMETER_HTTP_PORT: '0',
    ROADMETER_MQTT_PORT: '0',
    ROADMETER_SWEEP_MS: '100',
    // Threads run what is built; tests run what is written.
    ROADMETER_BACKTEST_THREADS: '0',
    ROADMETER_LOG: 'silent',
    ROADMETER_REQUESTS_PER_MINUTE: '10000000',
    // Everything can be recomputed to the end of a story; what is destroyed when is the story of others.
    ROADMETER_KEEP_FIXES_HOURS: '87600',
    ROADMETER_KEEP_REJECTED_HOURS: '87600',
    ROADMETER_RECONCILE_MS: '0',
    ...environment,
  })
  const clock = new ToldClock(now)
  @Module({
    imports: [
      RuntimeModule.with('test', settings, clock),
      StoreModule.open({ migrate: true }),
      IngestModule,
      EngineModule,
      ApiModule,
    ],
  })
  class TestProcess {}
  const { app, url } = await serve(TestProcess, settings, openLog(settings, 'test'))
  return {
    app,
    clock: app.get<ToldClock>(CLOCK),
    store: app.get(Store),
    line: app.get<Line>(LINE, { strict: false }),
    mqttUrl: app.get(IngestModule).url,
    httpUrl: url.replace('[::1]', 'localhost'),
    settings,
    async close() {
      await app.close()
      await database?.drop()
      if (!given) await fs.promises.rm(folder, { recursive: true, force: true })
    },
  }
}

export interface Cast {
  readonly agency: AgencyId
  readonly account: AccountId
  readonly vehicle: VehicleId
  readonly device: DeviceId
  readonly deviceToken: string
  readonly tokens: Record<Exclude<Role, 'editor' | 'approver'>, string>
}

/** An agency with a network and policies, and one account with one car and its device. Names end in `suffix`. */
export async function cast(
  world: World,
  network: RoadNetwork,
  policies: readonly unknown[],
  suffix = 'one',
): Promise<Cast> {
  const agency = `city-${suffix}` as AgencyId
  const account = `account-${suffix}` as AccountId
  const vehicle = `vehicle-${suffix}` as VehicleId
  const device = `device-${suffix}` as DeviceId
  const deviceToken = `token-of-${device}`
  const roles = ['citizen', 'agency', 'analyst', 'operator'] as const
  const tokens = Object.fromEntries(roles.map((role) => [role, `${role}-token-${suffix}`])) as Cast['tokens']
  await world.store.transaction(async (tx) => {
    await saveAgency(tx, { id: agency, name: `City of ${suffix}` })
    await saveNetwork(tx, agency, network, { name: 'test', activeFrom: instant(0) })
    for (const policy of policies) await filePolicy(tx, agency, parsePolicy(policy), instant(0))
    await saveAccount(tx, { id: account, agency, name: `Account ${suffix}` })
    await saveVehicle(tx, { vehicle, account, name: 'the blue car', vehicleClass: 'car' })
    await saveDevice(tx, { id: device, vehicle, token: deviceToken })
    for (const role of roles)
      await grantAccess(tx, tokens[role], { role, agency, account: role === 'citizen' ? account : null })
  })
  return { agency, account, vehicle, device, deviceToken, tokens }
}

/** Names editors and approvers of an agency, and returns the token of each: `ada` of `{ ada: 'editor' }`. */
export async function officers<P extends string>(
  world: World,
  agency: AgencyId,
  people: Record<P, 'editor' | 'approver'>,
): Promise<Record<P, string>> {
  const tokens = {} as Record<P, string>
  await world.store.transaction(async (tx) => {
    for (const [person, role] of Object.entries(people) as [P, 'editor' | 'approver'][]) {
      tokens[person] = `${role}-${person}-of-${agency}`
      await nameOfficer(tx, { agency, person, role, name: person }, world.clock.now())
      await grantAccess(tx, tokens[person], { role, agency, account: null, person })
    }
  })
  return tokens
}

/** Waits until no work is due. Work that fails for good is a failure of the test. */
export async function settled(world: World, waitMs = 30_000): Promise<void> {
  for (const end = Date.now() + waitMs; ;) {
    const { pieces } = await world.store.transaction((tx) => backlog(tx))
    if (pieces === 0) return
    if (Date.now() > end)
      throw new Error(
        `work is left: ${JSON.stringify(await world.store.read('select stage, key, attempts, last_error from metering.work where wanted > done'))}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Every fault that the invariants' checker finds. */
export const faultsOf = async (world: World): Promise<string[]> =>
  (await reconcile(world.store, world.line)).flatMap((finding) =>
    finding.faults.map((fault) => `${finding.id}: ${fault}`),
  )
