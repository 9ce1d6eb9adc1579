import { type Cell } from './tally'
import { discreteGaussian, discreteLaplace, type Draw } from './samplers'

/** How much noise: `laplace` by its epsilon, `gaussian` by its rho, in millionths, for each measure of each cell. */
export interface Noise {
  readonly kind: 'laplace' | 'gaussian'
  readonly millionths: number
}

/** What may be told of one matter in all, in zero-concentrated differential privacy: millionths of rho. */
export interface Budget {
  readonly allowed: number
  readonly spent: number
}

/** An agency's budget for one dataset of one month: rho = 0.5, that is epsilon 5.8 at delta 1e-6. */
export const budgetOf = (spent: number): Budget => ({ allowed: 500_000, spent })

/**
 * The rho (millionths, rounded up) of noise on `measures` numbers of a cell. Pure epsilon is rho = epsilon²/2 (Bun, Steinke 2016,
 * proposition 1.4); the measures of a cell are of the same vehicles, so theirs add up.
 */
export const costOf = ({ kind, millionths }: Noise, measures: number): number =>
  measures * (kind === 'laplace' ? Math.ceil(millionths ** 2 / 2e6) : millionths)

/** What rho is in epsilon at a delta (Bun, Steinke 2016, proposition 1.3). */
export const epsilonOf = (rhoMillionths: number, delta = 1e-6): number => {
  const rho = rhoMillionths / 1e6
  return rho + 2 * Math.sqrt(rho * Math.log(1 / delta))
}

export type Spending =
  { readonly is: 'granted'; readonly budget: Budget } | { readonly is: 'refused'; readonly left: number }

/** Takes from a budget, before anything is drawn; refused where it doesn't suffice. */
export function spend(budget: Budget, cost: number): Spending {
  const left = budget.allowed - budget.spent
  return cost > left ? { is: 'refused', left } : { is: 'granted', budget: { ...budget, spent: budget.spent + cost } }
}

/**
 * Cells with noise on every number of theirs, the count of vehicles as well. The part of a vehicle beyond the bound of a measure is left
 * out first, so that the noise hides any vehicle of a cell. What noise makes negative is zero: that takes nothing from its
 * protection.
 */
export function withNoise(cells: readonly Cell[], bounds: readonly bigint[], noise: Noise, draw: Draw): Cell[] {
  const noisy = (value: bigint, bound: bigint): bigint => {
    const with_ = value + drawn(noise, bound, draw)
    return with_ < 0n ? 0n : with_
  }
  return cells.map((cell) => ({
    ...cell,
    vehicles: Number(noisy(BigInt(cell.vehicles), 1n)),
    sums: cell.sums.map((sum, i) => noisy(sum - cell.over[i], bounds[i])),
    // Exact, these would undo the noise.
    over: cell.over.map(() => 0n),
    squares: NaN,
    largest: 0n,
    second: 0n,
  }))
}

/** Laplace: scale = bound / epsilon. Gaussian: variance = bound² / (2 rho). */
function drawn({ kind, millionths }: Noise, bound: bigint, draw: Draw): bigint {
  const part = BigInt(millionths)
  return kind === 'laplace'
    ? discreteLaplace(draw, [bound * 1_000_000n, part])
    : discreteGaussian(draw, [bound * bound * 1_000_000n, 2n * part])
}
