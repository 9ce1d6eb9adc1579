import { invariant } from '#kernel'

/** Uniform whole numbers in [0, below), exactly: a secure source for releases, a seeded one for tests. */
export type Draw = (below: bigint) => bigint

/** An exact positive fraction. */
export type Ratio = readonly [numerator: bigint, denominator: bigint]

/** Draws until one is accepted: a bound that no run of an honest source comes near (each try succeeds with probability above 0.3). */
const TRIES_MAX = 100_000
/** Each step has a probability below 0.37: as far as this comes no honest source. */
const STEPS_MAX = 10_000n
const STUCK = 'the source of chance draws the same again and again'

/** True with probability n/d. */
const bernoulli = (draw: Draw, n: bigint, d: bigint): boolean => draw(d) < n

/** True with probability exp(-n/d), n/d >= 0: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", 2020, Algorithm 1. */
function bernoulliExp(draw: Draw, n: bigint, d: bigint): boolean {
  for (; n > d; n -= d) if (!bernoulliExp(draw, 1n, 1n)) return false
  for (let k = 1n; k < STEPS_MAX; k++) if (!bernoulli(draw, n, d * k)) return k % 2n === 1n
  invariant(false, STUCK)
}

/** Whole x with probability proportional to exp(-|x| / scale): their Algorithm 2. */
export function discreteLaplace(draw: Draw, [t, s]: Ratio): bigint {
  invariant(t > 0n && s > 0n, 'a scale is above zero')
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const u = draw(t)
    if (!bernoulliExp(draw, u, t)) continue
    let v = 0n
    while (v < STEPS_MAX && bernoulliExp(draw, 1n, 1n)) v++
    invariant(v < STEPS_MAX, STUCK)
    const y = (u + t * v) / s
    const isNegative = draw(2n) === 1n
    if (isNegative && y === 0n) continue
    return isNegative ? -y : y
  }
  invariant(false, STUCK)
}

/** Whole x with probability proportional to exp(-x² / (2 sigma²)), `variance` = sigma²: their Algorithm 3. */
export function discreteGaussian(draw: Draw, [n, d]: Ratio): bigint {
  invariant(n > 0n && d > 0n, 'a variance is above zero')
  const t = root(n / d) + 1n
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const y = discreteLaplace(draw, [t, 1n])
    const off = (y < 0n ? -y : y) * d * t - n
    if (bernoulliExp(draw, off * off, 2n * n * d * t * t)) return y
  }
  invariant(false, STUCK)
}

/** The whole part of a square root: Newton's method, from above. */
function root(n: bigint): bigint {
  if (n < 2n) return n
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1)
  for (;;) {
    const next = (x + n / x) >> 1n
    if (next >= x) return x
    x = next
  }
}
