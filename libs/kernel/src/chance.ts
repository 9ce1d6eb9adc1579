/** Seeded chance: the same seed draws the same numbers everywhere. Not for secrets. */
export interface Chance {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, below). */
  below(below: number): number
  /** Standard normal (Marsaglia's polar method). */
  normal(): number
  pick<T>(items: readonly T[]): T
  /** An independent stream named by `label`: drawing from one never shifts another. */
  fork(label: string | number): Chance
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded by FNV-1a over the seed's text. */
export function chance(seed: string | number): Chance {
  let a = fnv1a(`a${seed}`)
  let b = fnv1a(`b${seed}`)
  let c = fnv1a(`c${seed}`)
  let counter = 1
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 12; i++) next()
  return {
    next,
    below: (below) => Math.floor(next() * below),
    normal() {
      for (;;) {
        const u = next() * 2 - 1
        const v = next() * 2 - 1
        const s = u * u + v * v
        if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s)
      }
    },
    pick: (items) => items[Math.floor(next() * items.length)],
    fork: (label) => chance(`${seed}/${label}`),
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash | 0
}
