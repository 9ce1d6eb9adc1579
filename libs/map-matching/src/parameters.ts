import { InputError } from '#kernel'

/** One row per parameter: the only home of its value, unit, bounds and reason. */
export interface Parameter {
  readonly value: number
  readonly unit: string
  readonly min: number
  readonly max: number
  readonly meaning: string
  readonly source: string
}

const row = (value: number, unit: string, min: number, max: number, meaning: string, source: string): Parameter => ({
  value,
  unit,
  min,
  max,
  meaning,
  source,
})

/** One set for all data. */
export const PARAMETERS = {
  radiusM: row(42, 'm', 10, 200, 'roads further from a fix are no candidates', 'fitted'),
  placesMax: row(10, 'places', 1, 24, 'nearest places looked at for a fix', 'fitted'),
  sigmaM: row(8, 'm', 1, 50, 'standard deviation of a fix across the road', 'fitted'),
  betaM: row(32, 'm', 1, 200, 'road that one nat of emission is worth: what a detour must explain', 'fitted'),
  robustSigmas: row(2, 'sigma', 1, 10, 'beyond it the cost of a distance grows linearly (Huber 1964)', 'fitted'),
  correlationM: row(90, 'm', 1, 1_000, 'errors of fixes nearer than this are alike', 'fitted'),
  weightMin: row(0.2, '', 0, 1, 'least weight of a fix that is near the last one', 'fitted'),
  endWeight: row(
    2,
    '',
    0,
    20,
    'weight of the first and the last fix: nothing beyond them corrects what they say',
    'fitted',
  ),
  stayMs: row(
    240_000,
    'ms',
    1_000,
    86_400_000,
    'a vehicle that stands for this long tells as much as a fix of full weight',
    'fitted',
  ),
  thinM: row(15, 'm', 0, 100, 'fixes nearer than this to the last kept one add no knowledge', 'feasibility probe'),
  thinSoonM: row(60, 'm', 0, 200, 'the same, of fixes that follow within `soonMs`', 'fitted'),
  soonMs: row(4_500, 'ms', 0, 60_000, 'errors of fixes within this are alike', 'fitted'),
  windowM: row(800, 'm', 50, 5_000, 'candidates dearer than the best by more are given up', 'fitted'),
  searchWindowM: row(120, 'm', 0, 5_000, 'routes dearer than the best by more are not looked for', 'fitted'),
  nearWindowM: row(
    300,
    'm',
    0,
    5_000,
    'the same between fixes within twice `soonMs`: on hairpins a way must lead far first',
    'fitted',
  ),
  backM: row(60, 'm', 0, 200, 'going back this far on a segment is jitter and buys no road', 'feasibility probe'),
  backFactor: row(0.8, '', 0, 5, 'cost of going back, per metre', 'fitted'),
  turnM: row(28, 'm', 0, 1_000, 'cost of a sharp turn at a junction', 'fitted'),
  uTurnM: row(80, 'm', 0, 2_000, 'cost of turning back at a junction', 'fitted'),
  midUTurnM: row(190, 'm', 0, 5_000, 'cost of turning back between junctions', 'fitted'),
  rivalM: row(100, 'm', 0, 1_000, 'ways apart for less are not told apart in how sure they are', 'calibrated'),
  doubtM: row(70, 'm', 1, 2_000, 'how much dearer a rival is that is e times less likely', 'calibrated'),
  forgoM: row(150, 'm', 0, 1_000, 'a shorter way that is dearer by less is what is charged for', 'nine in ten sure'),
  sureM: row(250, 'm', 0, 5_000, 'a way dearer by as much is no rival for the price', '97 in 100 sure'),
  offM: row(35, 'm', 5, 200, 'a fix this far from every road is as likely off the network', 'fitted'),
  offFactor: row(3, '', 1, 20, 'cost of a way off the network, per metre', 'fitted'),
  offEnterM: row(500, 'm', 0, 5_000, 'cost of leaving the network, and of coming back', 'fitted'),
  speedMsMax: row(70, 'm/s', 20, 150, 'no car is faster (252 km/h)', 'physics'),
  routeSlackM: row(80, 'm', 0, 5_000, 'added to what the speed limit lets a route be long', 'fitted'),
  routeFactorMax: row(5, '', 1, 50, 'longest route as a multiple of the displacement', 'fitted'),
  routeFloorM: row(3_000, 'm', 0, 50_000, 'added to that', 'fitted'),
  junkFixesMax: row(3, 'fixes', 0, 16, 'fixes dropped as implausible before the drive is broken', 'feasibility probe'),
  offRouteFactorMax: row(1.1, '', 1, 50, 'the same where the vehicle was off the network in between', 'fitted'),
  offRouteFloorM: row(50, 'm', 0, 50_000, 'added to that', 'fitted'),
  offNetworkM: row(500, 'm', 0, 10_000, 'driven off the network, beyond which the way back is not inferred', 'fitted'),
  gapMs: row(
    120_000,
    'ms',
    1_000,
    86_400_000,
    'a silence this long says nothing of the way in between',
    'sampling is up to 90 s',
  ),
  gapM: row(300, 'm', 0, 100_000, 'if the way is at least so long', 'a car that moves a little after hours'),
  accuracyMMax: row(100, 'm', 10, 1_000, 'fixes that say they are worse are filtered', 'Android: 68 % radius'),
  lagStepsMax: row(48, 'steps', 4, 1_000, 'kept fixes that may stay undecided', 'state of 2 KiB'),
  lagNodesMax: row(96, 'candidates', 64, 4_000, 'candidates that may stay undecided', 'state of 2 KiB'),
} as const satisfies Record<string, Parameter>

export type ParameterName = keyof typeof PARAMETERS
export type Parameters = Readonly<Record<ParameterName, number>>

/** The table's values with `overrides`; InputError PARAMETER where one is out of bounds. */
export function parameters(overrides: Partial<Parameters> = {}): Parameters {
  const chosen = Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, { value }]) => [name, overrides[name as ParameterName] ?? value]),
  ) as Record<ParameterName, number>
  for (const [name, { min, max, unit }] of Object.entries(PARAMETERS)) {
    const value = chosen[name as ParameterName]
    if (!(value >= min && value <= max))
      throw new InputError('PARAMETER', `map matching: ${name} must be ${min} to ${max} ${unit}, found ${value}`)
  }
  return chosen
}
