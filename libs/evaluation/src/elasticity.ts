import { VEHICLES_MIN } from '#disclosure'
import { invariant, type Chance } from '#kernel'
import { type Bounds } from './intervals'

/** What one vehicle drove and was charged in two spans, and the arm that it was in during the second. */
export interface Driven {
  readonly arm: string
  /** Before the pilot, per day. */
  readonly baselineMm: number
  readonly pilotMm: number
  /** Micros per day. */
  readonly pilotAmount: number
}

/** What became of an arm. */
export interface ArmResult {
  readonly arm: string
  readonly vehicles: number
  /** Millimetres a day and vehicle. */
  readonly baselineMm: number
  readonly pilotMm: number
  /** Micros per millimetre in the pilot; null where nothing was driven. */
  readonly price: number | null
  /** Change of distance beyond the change of the arm it is compared with: -0.05 is 5 % less. null for that arm itself. */
  readonly change: (Bounds & { readonly value: number }) | null
  /** By which percentage distance changes for 1 % of price; null where the prices of both arms are the same or one is nothing. */
  readonly elasticity: (Bounds & { readonly value: number }) | null
}

export interface Elasticity {
  readonly comparedWith: string
  readonly arms: readonly ArmResult[]
  /** Arms of too few vehicles to say anything of. */
  readonly withheld: number
  readonly draws: number
}

const DRAWS = 1_000

/**
 * How each arm changed against `control`: the ratio of its distance after and before, divided by the same ratio of the control arm; and
 * that in logarithms over the logarithm of the ratio of prices. Intervals are the 2.5 and 97.5 percentiles of `DRAWS` seeded
 * resamples of vehicles within arms, so that the vehicle, not the trip, is what was drawn. null where the control arm has too few.
 */
export function elasticityOf(vehicles: readonly Driven[], control: string, chance: Chance): Elasticity | null {
  const byArm = new Map<string, Driven[]>()
  for (const vehicle of vehicles) {
    invariant(vehicle.baselineMm >= 0 && vehicle.pilotMm >= 0, 'distances are not below zero')
    // Whoever did not drive before says nothing about a change.
    if (vehicle.baselineMm === 0) continue
    const of = byArm.get(vehicle.arm)
    if (of) of.push(vehicle)
    else byArm.set(vehicle.arm, [vehicle])
  }
  const arms = [...byArm].filter(([, of]) => of.length >= VEHICLES_MIN).sort(([a], [b]) => (a < b ? -1 : 1))
  const base = byArm.get(control)
  if (!base || base.length < VEHICLES_MIN) return null
  const draws = (of: readonly Driven[], name: string): Sums[] => {
    const dice = chance.fork(name)
    return Array.from({ length: DRAWS }, () => sumsOf(of, () => dice.below(of.length)))
  }
  const controlSums = sumsOf(base)
  const controlDraws = draws(base, control)
  const results = arms.map(([arm, of]): ArmResult => {
    const sums = sumsOf(of)
    const told = {
      arm,
      vehicles: of.length,
      baselineMm: sums.baseline / of.length,
      pilotMm: sums.pilot / of.length,
      price: sums.pilot > 0 ? sums.amount / sums.pilot : null,
    }
    if (arm === control) return { ...told, change: null, elasticity: null }
    const drawn = draws(of, arm)
    const estimate = (f: (treated: Sums, control: Sums) => number | null) =>
      estimated(
        f(sums, controlSums),
        drawn.map((treated, i) => f(treated, controlDraws[i])),
      )
    return { ...told, change: estimate(changeOf), elasticity: estimate(elasticity) }
  })
  return { comparedWith: control, arms: results, withheld: byArm.size - arms.length, draws: DRAWS }
}

/** What one part of the driving shows: an hour, a zone, a class, a programme. */
export interface GroupResult {
  readonly group: string
  /** Without distances and prices: what all drove less these groups would else be that of a withheld one. */
  readonly arms: readonly Pick<ArmResult, 'arm' | 'vehicles' | 'change' | 'elasticity'>[]
}

/**
 * The same for parts of the driving, by name; each with the vehicles that drove there before. A group where the control arm, or every
 * other one, is of too few is withheld, and counted.
 */
export function elasticityByGroup(
  groups: ReadonlyMap<string, readonly Driven[]>,
  control: string,
  chance: Chance,
): { readonly groups: readonly GroupResult[]; readonly withheld: number } {
  const told = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([group, driven]): GroupResult[] => {
      const result = elasticityOf(driven, control, chance.fork(group))
      const arms = (result?.arms ?? []).filter(({ arm }) => arm !== control)
      return arms.length === 0
        ? []
        : [
            {
              group,
              arms: arms.map(({ arm, vehicles, change, elasticity }) => ({ arm, vehicles, change, elasticity })),
            },
          ]
    })
  return { groups: told, withheld: groups.size - told.length }
}

interface Sums {
  readonly baseline: number
  readonly pilot: number
  readonly amount: number
}

function sumsOf(of: readonly Driven[], drawn: (i: number) => number = (i) => i): Sums {
  let [baseline, pilot, amount] = [0, 0, 0]
  for (let i = 0; i < of.length; i++) {
    const vehicle = of[drawn(i)]
    baseline += vehicle.baselineMm
    pilot += vehicle.pilotMm
    amount += vehicle.pilotAmount
  }
  return { baseline, pilot, amount }
}

/** Ratio of ratios less one; null where an arm did not drive at all. */
function changeOf(treated: Sums, control: Sums): number | null {
  if (control.pilot === 0) return null
  return treated.pilot / treated.baseline / (control.pilot / control.baseline) - 1
}

function elasticity(treated: Sums, control: Sums): number | null {
  const change = changeOf(treated, control)
  if (change === null || change <= -1 || treated.amount === 0 || control.amount === 0) return null
  const priceRatio = treated.amount / treated.pilot / (control.amount / control.pilot)
  // Prices that are alike move nobody: what differs then is chance, divided by next to nothing.
  return Math.abs(priceRatio - 1) < PRICE_CHANGE_MIN ? null : Math.log1p(change) / Math.log(priceRatio)
}
const PRICE_CHANGE_MIN = 0.01

function estimated(value: number | null, draws: readonly (number | null)[]) {
  const known = draws.filter((draw) => draw !== null).sort((a, b) => a - b)
  // Where it can't be told of many resamples, an interval of the others would mislead.
  if (value === null || known.length < draws.length * 0.95) return null
  const at = (p: number) => known[Math.min(known.length - 1, Math.floor(p * known.length))]
  return { value, low: at(0.025), high: at(0.975) }
}
