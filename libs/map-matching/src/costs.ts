import type { Parameters } from './parameters'

/**
 * Costs are millimetres of road: what is least is the length of the route plus what its distance from the fixes is worth
 * (Newson & Krumm 2009, with the transition linear in the route's length: its difference from the displacement is the same for
 * all routes between the same fixes, so that one search from all candidates to all is exact).
 */

/** Cost of a fix `distanceM` from the road: betaM nats' worth of a normal density, linear in its tail. */
export function emissionMm(distanceM: number, sigmaM: number, p: Parameters): number {
  const z = distanceM / sigmaM
  const nats = z <= p.robustSigmas ? 0.5 * z * z : p.robustSigmas * (z - 0.5 * p.robustSigmas)
  return nats * p.betaM * 1000
}

/** Cost of a fix that is taken to be off the network: what a fix `offM` from its road costs, so that worse ones rather are. */
export const offEmissionMm = (sigmaM: number, p: Parameters): number => emissionMm(p.offM, sigmaM, p)

/** Errors of near fixes are alike: each of them says less than a fix far from the last one. */
export const weightOf = (displacementM: number, p: Parameters): number =>
  Math.min(1, Math.max(p.weightMin, displacementM / p.correlationM))

/** Standard deviation to be used for a fix that states its 68 % radius: never better than what roads and maps allow. */
export const sigmaOf = (accuracyM: number, p: Parameters): number => Math.max(p.sigmaM, accuracyM / 1.5)

/**
 * Longest route of use between places `displacementM` apart: the vehicle left `gapMs` ago, having gone `wentM` about there already by
 * fixes that aren't looked at (without these a hairpin that is driven faster than it is wide has no way out). Where the vehicle was off the network between them, only a
 * route about as long as the displacement is what it drove: else its way over private ground would be charged as a detour.
 */
export const routeMmMax = (
  gapMs: number,
  wentM: number,
  displacementM: number,
  wasOff: boolean,
  p: Parameters,
): number => {
  const bySpeed = (p.speedMsMax * gapMs) / 1000 + wentM + p.routeSlackM
  const byShape = wasOff
    ? displacementM * p.offRouteFactorMax + p.offRouteFloorM
    : displacementM * p.routeFactorMax + p.routeFloorM
  return 1000 * Math.min(bySpeed, byShape)
}

/**
 * How likely the way is against its best rival, thousandths: logistic in the cost by which that was dearer. What lies along one street is
 * one observation rather than many, so that a nat of doubt is more road than betaM.
 */
export const confidenceOf = (marginM: number, p: Parameters): number =>
  // From 8 on the logistic function rounds to its end: most need no exponential.
  marginM >= 8 * p.doubtM ? 1000 : Math.round(1000 / (1 + Math.exp(-marginM / p.doubtM)))
