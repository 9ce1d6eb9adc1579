export interface Bounds {
  readonly low: number
  readonly high: number
}

/** 97.5 % point of the normal distribution. */
const Z = 1.959964

/** The mean over `n` vehicles with its 95 % interval, from their sum and the sum of their squares; null for fewer than two. */
export function meanInterval(n: number, sum: number, squares: number): ({ readonly mean: number } & Bounds) | null {
  if (n < 2 || !Number.isFinite(squares)) return null
  const mean = sum / n
  const half = Z * Math.sqrt(Math.max(0, squares - n * mean * mean) / (n - 1) / n)
  return { mean, low: mean - half, high: mean + half }
}

/** 95 % interval of a share by Wilson's score (JASA 22, 1927): holds where none or all of `of` were found, too. */
export function wilson(found: number, of: number): Bounds {
  if (of === 0) return { low: 0, high: 1 }
  const p = found / of
  const z2 = (Z * Z) / of
  const middle = (p + z2 / 2) / (1 + z2)
  const half = (Z * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of))) / (1 + z2)
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}
