import { readFileSync } from 'node:fs'
import { demoCity, Fleet, type OsmFeatures } from '#fleet'
import { digest, instant, type AgencyId, type DeviceId, type Instant } from '#kernel'
import { localClock } from '#policy'
import { buildNetwork, type RoadNetwork } from '#road-network'
import {
  grantAccess,
  grantSubject,
  isFourEyes,
  nameOfficer,
  saveAccount,
  saveAgency,
  saveDevice,
  saveNetwork,
  filePolicy,
  ratedVehicles,
  saveVehicle,
  startPilot,
  type Principal,
  type Role,
  type Store,
  type Tx,
} from '#store'
import { TARIFF } from './tariff'

export const AGENCY = 'gothenburg' as AgencyId
export const MONTH = '2026-10'
/**
 * The pilot's people drive from this day on; what is before MONTH is what the trial is compared with. A week: after less, the month's bills
 * would be ten times the last, and be held for somebody to look at.
 */
export const BASELINE = { month: '2026-09', from: '2026-09-24' }
/** By this seed ten of the twenty vehicles are in either arm: fewer are nothing that could be told of. */
const TRIAL = {
  seed: 'gothenburg-7',
  arms: { control: 1, milder: 1 },
  reason: 'does a milder rush hour change who drives?',
}
/** A package on npm carries the map; nothing else of the package is used. */
const MAP = require.resolve('geojson-path-finder/test/large-network.json')
export const SEED = 'pilot'
export const VEHICLES = 20

/**
 * Tokens of the demo's made-up people and devices, the same at every start so that a run can be resumed. They open nothing
 * but the demo, which listens on this machine alone.
 */
export const demoToken = (name: string): string => digest(['demo', name])
export const deviceToken = (device: DeviceId): string => demoToken(device)

/** Who writes the demo's policies, and who approves them: two people. */
const OFFICERS = [
  { person: 'ada', role: 'editor', name: 'Ada Lindqvist' },
  { person: 'bo', role: 'approver', name: 'Bo Åkesson' },
] as const

export interface DemoCity {
  readonly network: RoadNetwork
  readonly fleet: Fleet
}

/** Gothenburg as OpenStreetMap had it in 2016, from an npm package, and the people of the pilot. */
export function openCity(): DemoCity {
  const network = buildNetwork(demoCity(JSON.parse(readFileSync(MAP, 'utf8')) as OsmFeatures))
  return { network, fleet: new Fleet(network, SEED, VEHICLES) }
}

/** More people of the agency to be at the demo's identity provider. */
const STAFF: readonly { subject: string; name: string; role: Exclude<Role, 'citizen' | 'editor' | 'approver'> }[] = [
  { subject: 'agency', name: 'Agnes at the desk', role: 'agency' },
  { subject: 'analyst', name: 'Anders, who counts', role: 'analyst' },
  { subject: 'auditor', name: 'Astrid, who checks', role: 'auditor' },
  { subject: 'operator', name: 'Otto, who keeps it running', role: 'operator' },
]

/** Files the city, its tariff, its trial and its people; what is there already stays. */
export async function register(store: Store, { network, fleet }: DemoCity, now: Instant): Promise<void> {
  await store.transaction(async (tx) => {
    await saveAgency(tx, { id: AGENCY, name: 'Gothenburg road-use pilot' })
    await saveNetwork(tx, AGENCY, network, { name: 'Gothenburg', activeFrom: instant(0) })
    // Who approves is named below: from then on nothing is filed directly.
    if (!(await isFourEyes(tx, AGENCY))) await filePolicy(tx, AGENCY, TARIFF, instant(0))
    for (const { account, accountName, vehicle, vehicleName, vehicleClass, device } of fleet.vehicles) {
      await saveAccount(tx, { id: account, agency: AGENCY, name: accountName })
      await saveVehicle(tx, { vehicle, account, name: vehicleName, vehicleClass })
      await saveDevice(tx, { id: device, vehicle, token: deviceToken(device) })
      await grantAccess(tx, demoToken(account), { role: 'citizen', agency: AGENCY, account })
      await letIn(tx, account, { role: 'citizen', account, name: accountName })
    }
    await grantAccess(tx, demoToken('agency'), { role: 'agency', agency: AGENCY, account: null })
    await grantAccess(tx, demoToken('analyst'), { role: 'analyst', agency: AGENCY, account: null })
    await grantAccess(tx, demoToken('auditor'), { role: 'auditor', agency: AGENCY, account: null })
    for (const { person, role, name } of OFFICERS) {
      await nameOfficer(tx, { agency: AGENCY, person, role, name }, instant(0))
      await grantAccess(tx, demoToken(role), { role, agency: AGENCY, account: null, person })
      await letIn(tx, person, { role, account: null, person, name })
    }
    // Its trial begins with the month: whoever starts again later finds it drawn.
    const { from } = localClock(TARIFF.timeZone).spanOf(MONTH)
    const [{ arm }] = await ratedVehicles(tx, [{ vehicle: fleet.vehicles[0].vehicle, at: from }])
    if (arm === undefined) await startPilot(tx, AGENCY, { ...TRIAL, from }, now)
    for (const { subject, ...person } of STAFF) await letIn(tx, subject, { ...person, account: null })
  })
}

const letIn = (tx: Tx, subject: string, principal: Omit<Principal, 'agency'> & { name: string }) =>
  grantSubject(tx, { issuer: 'demo', subject }, { ...principal, agency: AGENCY }, instant(0))
