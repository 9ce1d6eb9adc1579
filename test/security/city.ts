import { instant, type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { grantAccess, saveAccount, saveDevice, saveVehicle, type Role } from '#store'
import { cast, officers, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from '../scenarios/roads'

const at = (iso: string) => instant(Date.parse(iso))

/** What is somebody's, by the names of the parameters of our paths. */
export interface Things {
  readonly agency: string
  readonly id: string
  readonly vehicle: string
  readonly trip: string
  readonly payment: string
  readonly device: string
  readonly policy: string
}

export interface Tenants {
  readonly world: World
  readonly one: Cast
  readonly two: Cast
  /** A token of each who asks; all but `stranger` are of the first city. */
  readonly tokens: Readonly<
    Record<Role | 'neighbour' | 'stranger' | 'strangersAgency' | 'device' | 'strangersDevice', string>
  >
  /** Of the citizen, of the neighbour in the same city, of the stranger in the other. */
  readonly things: Readonly<Record<'own' | 'neighbours' | 'strangers' | 'nobodys' | 'deleted', Things>>
  /** Words that only they may read: in their names, disputes and vehicles. */
  readonly secrets: Readonly<Record<'own' | 'neighbours' | 'strangers', string>>
}

/**
 * Two cities on one database, three citizens who each drove, were billed and questioned the bill: the first two in the same city.
 */
export async function openTenants(environment: Record<string, string> = {}): Promise<Tenants> {
  const world = await openWorld(at('2026-10-05T12:00:00+02:00'), {
    ROADMETER_PAYMENTS: 'local',
    ROADMETER_PAYMENT_SECRET: 'x',
    ...environment,
  })
  const one = await cast(world, MAIN_ROAD, [TARIFF], 'one')
  const two = await cast(world, MAIN_ROAD, [TARIFF], 'two')
  const secrets = { own: 'Annabel-Quill', neighbours: 'Benedikt-Zorn', strangers: 'Cressida-Vex' }
  const neighbour = {
    account: 'account-next' as AccountId,
    vehicle: 'vehicle-next' as VehicleId,
    device: 'device-next' as DeviceId,
  }
  await world.store.transaction(async (tx) => {
    await saveAccount(tx, { id: neighbour.account, agency: one.agency, name: secrets.neighbours })
    await saveVehicle(tx, {
      vehicle: neighbour.vehicle,
      account: neighbour.account,
      name: `car of ${secrets.neighbours}`,
      vehicleClass: 'car',
    })
    await saveDevice(tx, { id: neighbour.device, vehicle: neighbour.vehicle, token: 'token-next' })
    await grantAccess(tx, 'neighbour', { role: 'citizen', agency: one.agency, account: neighbour.account })
    await grantAccess(tx, 'auditor', { role: 'auditor', agency: one.agency, account: null })
    for (const [people, secret] of [
      [one, secrets.own],
      [two, secrets.strangers],
    ] as const) {
      await saveAccount(tx, { id: people.account, agency: people.agency, name: secret })
      await saveVehicle(tx, {
        vehicle: people.vehicle,
        account: people.account,
        name: `car of ${secret}`,
        vehicleClass: 'car',
      })
    }
  })
  const devices = [
    [one.device, one.deviceToken],
    [neighbour.device, 'token-next'],
    [two.device, two.deviceToken],
  ] as const
  for (const [device, token] of devices) {
    const client = await DeviceClient.connect({ url: world.mqttUrl, device, token })
    for (const batch of driveAlong('trip', 7, 7.02, at('2026-10-05T08:00:00+02:00'), 0)) await client.send(batch)
    await client.close()
  }
  await settled(world)
  world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
  for (const { agency } of [one, two]) await requestClose(world.store, agency, '2026-10')
  await until(world, `select count(*) = 2 as done from money.period where state = 'drafted'`)
  world.clock.advanceTo(at('2026-12-05T00:00:01+01:00'))
  await until(world, `select count(*) = 2 as done from money.period where state = 'sealed'`)
  await settled(world)
  const { ed } = await officers(world, one.agency, { ed: 'editor' })
  const tokens = {
    ...one.tokens,
    auditor: 'auditor',
    editor: ed,
    neighbour: 'neighbour',
    stranger: two.tokens.citizen,
    strangersAgency: two.tokens.agency,
    device: one.deviceToken,
    strangersDevice: two.deviceToken,
  }
  const ask = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${world.httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    return JSON.parse(text) as any
  }
  const thingsOf = async (
    agency: AgencyId,
    vehicle: VehicleId,
    device: DeviceId,
    token: string,
    secret: string,
  ): Promise<Things> => {
    const [statement] = await ask(token, 'GET', '/v1/statements')
    const { journeys } = await ask(token, 'GET', `/v1/statements/${statement.id}.json`)
    const { payment } = await ask(token, 'POST', `/v1/statements/${statement.id}/payments`, {})
    const dispute = await ask(token, 'POST', `/v1/statements/${statement.id}/disputes`, {
      trip: journeys[0].trip,
      reason: 'other',
      text: `I am ${secret}`,
    })
    await ask(token, 'PUT', '/v1/wallet', { floor: '1', topUp: '5' })
    return {
      agency,
      id: `${statement.id}|${dispute.id}`,
      vehicle,
      trip: journeys[0].trip,
      payment,
      device,
      policy: 'draft',
    }
  }
  const own = await thingsOf(one.agency, one.vehicle, one.device, tokens.citizen, secrets.own)
  const neighbours = await thingsOf(one.agency, neighbour.vehicle, neighbour.device, 'neighbour', secrets.neighbours)
  const strangers = await thingsOf(two.agency, two.vehicle, two.device, two.tokens.citizen, secrets.strangers)
  const nobodys: Things = {
    agency: 'no-such-city',
    id: `${'0'.repeat(32)}|${'0'.repeat(32)}`,
    vehicle: 'no-such-car',
    trip: '0'.repeat(32),
    payment: '0'.repeat(32),
    device: 'no-such-device',
    policy: 'nothing',
  }
  const deleted: Things = { ...nobodys, vehicle: 'gone-car', agency: 'gone-city' }
  await world.store.transaction(async (tx) => {
    await tx.run(`insert into metering.agency (id, name) values ('gone-city', 'Gone')`)
    await saveVehicle(tx, {
      vehicle: deleted.vehicle as VehicleId,
      account: neighbour.account,
      name: 'gone',
      vehicleClass: 'car',
    })
    await tx.run(`delete from metering.vehicle where id = 'gone-car'`)
    await tx.run(`delete from metering.agency where id = 'gone-city'`)
  })
  const { pat } = await officers(world, one.agency, { pat: 'approver' })
  // What the disputes hold is in the ledger: nothing of the city itself changes any more.
  await settled(world)
  return {
    world,
    one,
    two,
    tokens: { ...tokens, approver: pat },
    things: { own, neighbours, strangers, nobodys, deleted },
    secrets,
  }
}

async function until(world: World, sql: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if ((await world.store.read<{ done: boolean }>(sql))[0].done) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`never: ${sql}`)
}
