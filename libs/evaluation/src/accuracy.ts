import { type Bounds, wilson } from './intervals'

/** A drive whose truth is known: what should have been metered and charged, and what was. */
export interface ReferenceDrive {
  readonly trueMm: number
  readonly meteredMm: number
  /** Micros. */
  readonly trueAmount: bigint
  readonly chargedAmount: bigint
}

/** Charging accuracy after ISO/TS 37444: rates over reference drives, each with its 95 % bounds. */
export interface AccuracyReport {
  readonly drives: number
  readonly trueMm: number
  readonly meteredMm: number
  readonly trueAmount: bigint
  readonly chargedAmount: bigint
  /** Accepted error of a drive, in thousandths of what it should have cost. */
  readonly acceptedPermille: number
  /** Share of drives that were charged within the accepted error, above it, below it. */
  readonly correct: Rate
  readonly over: Rate
  readonly under: Rate
  /** Of all drives together, as a share of what they should have cost: above zero where too much was charged. */
  readonly amountError: number
  readonly distanceError: number
  /** Errors of distance drive by drive, without their sign: the mean, and what 95 % of drives stay below. */
  readonly meanAbsolute: number
  readonly p95Absolute: number
}

interface Rate extends Bounds {
  readonly share: number
  readonly drives: number
}

/** What reference drives say of the whole chain. A drive that should cost nothing is correct if it costs nothing. */
export function accuracyOf(drives: readonly ReferenceDrive[], acceptedPermille: number): AccuracyReport {
  let [trueMm, meteredMm, trueAmount, chargedAmount, over, under] = [0, 0, 0n, 0n, 0, 0]
  const errors: number[] = []
  for (const drive of drives) {
    trueMm += drive.trueMm
    meteredMm += drive.meteredMm
    trueAmount += drive.trueAmount
    chargedAmount += drive.chargedAmount
    const off = drive.chargedAmount - drive.trueAmount
    const accepted = drive.trueAmount * BigInt(acceptedPermille)
    if (off * 1000n > accepted) over++
    else if (-off * 1000n > accepted) under++
    if (drive.trueMm > 0) errors.push(Math.abs(drive.meteredMm - drive.trueMm) / drive.trueMm)
  }
  errors.sort((a, b) => a - b)
  const rate = (of: number): Rate => ({
    share: of / Math.max(1, drives.length),
    drives: of,
    ...wilson(of, drives.length),
  })
  return {
    drives: drives.length,
    trueMm,
    meteredMm,
    trueAmount,
    chargedAmount,
    acceptedPermille,
    correct: rate(drives.length - over - under),
    over: rate(over),
    under: rate(under),
    amountError: trueAmount === 0n ? 0 : Number(chargedAmount - trueAmount) / Number(trueAmount),
    distanceError: trueMm === 0 ? 0 : (meteredMm - trueMm) / trueMm,
    meanAbsolute: errors.length === 0 ? 0 : errors.reduce((sum, error) => sum + error, 0) / errors.length,
    p95Absolute: errors.length === 0 ? 0 : errors[Math.min(errors.length - 1, Math.ceil(0.95 * errors.length) - 1)],
  }
}
