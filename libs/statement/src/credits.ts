import { type CapCredit, type PolicyDocument, type VehicleProfile, type RatedVehicle, type Window } from '#contracts'
import { micros, millimetres, type Micros, type PolicyId, type VehicleId } from '#kernel'
import { accrue, EMPTY_WINDOW, windowKey, windowsOf, type AccruedTrip, type Windows, type WindowState } from '#rating'
import { type Words } from './words'

/** What an accrual gives back or adds for its window and no statement holds yet. */
export interface BilledCredit extends Window {
  /** What earlier statements hold of the window. */
  readonly before: WindowState
  readonly amount: Micros
}

/**
 * Adds the trips of a statement to their windows, which must stand as earlier statements left them, and says what that gives
 * back or adds.
 */
export function creditsOf(
  trips: readonly AccruedTrip[],
  policies: readonly PolicyDocument[],
  windows: Windows,
): BilledCredit[] {
  const stateOf = (window: Window) => windows.get(windowKey(window))?.state ?? EMPTY_WINDOW
  const touched = windowsOf(trips, policies).map((window) => ({ window, stood: stateOf(window) }))
  for (const trip of trips) accrue(trip, policies, windows)
  return touched.map(({ window, stood }) => {
    const { credit } = stateOf(window)
    return { ...window, before: stood, amount: micros(credit - stood.credit) }
  })
}

/** What a statement says of a window's past. */
export const pastOf = ({ gross, distanceMm, fuelTax, flats, credit }: WindowState) => ({
  grossBefore: gross,
  ...(distanceMm > 0 && { distanceBeforeMm: millimetres(distanceMm) }),
  ...(fuelTax !== 0n && { fuelTaxBefore: fuelTax }),
  ...(flats.length > 0 && { flatsBefore: flats.map(([at, amount]): [typeof at, typeof amount] => [at, amount]) }),
  ...(credit !== 0n && { creditBefore: credit }),
})

/** The windows of a statement as earlier statements left them. */
export const windowsBeforeOf = (credits: readonly CapCredit[]): Windows =>
  new Map(
    credits.map((said) => {
      const { policy, cap, vehicle, span } = said
      const window: Window = { policy: policy as PolicyId, cap, vehicle: vehicle as VehicleId, span }
      const state: WindowState = {
        gross: said.grossBefore,
        distanceMm: said.distanceBeforeMm ?? 0,
        fuelTax: said.fuelTaxBefore ?? micros(0n),
        flats: said.flatsBefore ?? [],
        credit: said.creditBefore ?? micros(0n),
      }
      return [windowKey(window), { window, state }]
    }),
  )

/** What is known of a vehicle beyond its class; absent where nothing is. */
export function profileOf({ vehicle: _, vehicleClass: __, ...profile }: RatedVehicle): VehicleProfile | undefined {
  return Object.keys(profile).length > 0 ? profile : undefined
}

/** The local day that a credit is about; null for spans of a month or a year. That of a trip is the day on which it began. */
export const dayOfCredit = (credit: CapCredit, startedOn: ReadonlyMap<string, string>): string | null =>
  /^\d{4}-\d\d-\d\d$/.test(credit.span) ? credit.span : (startedOn.get(credit.span) ?? null)

/** What a credit is called where it is listed: a cap was reached, a minimum filled up, a discount is what it is. */
export const creditWords = (
  { capName, limit, amount }: Pick<CapCredit, 'capName' | 'limit' | 'amount'>,
  { say, money }: Words,
): { readonly name: string; readonly sub: string | null } =>
  limit === 0n
    ? { name: capName, sub: null }
    : amount > 0n
      ? { name: capName, sub: say.atLeast(money(limit)) }
      : { name: say.reached(capName), sub: say.atMost(money(limit)) }
