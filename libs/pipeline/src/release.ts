import { randomBytes } from 'node:crypto'
import {
  budgetOf,
  costOf,
  differenceRefusal,
  disclose,
  epsilonOf,
  spend,
  VEHICLES_MIN,
  withNoise,
  type Cell,
  type Draw,
  type Noise,
} from '#disclosure'
import { datasetNamed } from '#evaluation'
import { deriveId, digest, InputError, type AgencyId, type Instant } from '#kernel'
import { lockReleases, releasedCells, releasesOf, saveRelease, type Release, type ReleasedCell, type Tx } from '#store'

/** An estimator of one vehicle's part is worth nothing within this percentage of it. */
const DOMINANCE_PERCENT = 10

interface Matter {
  readonly agency: AgencyId
  readonly dataset: string
  /** A month, or the id of a survey. */
  readonly period: string
  readonly facts: Readonly<Record<string, unknown>>
}

/**
 * Lets a table out: what stands for a few is withheld first, then the register is asked whether anything follows from this table and an
 * earlier one of the same matter. The same table again is the earlier release. InputError DIFFERENCE where it is refused: nothing is
 * let out then.
 */
export async function letOut(tx: Tx, matter: Matter, cells: readonly Cell[], now: Instant): Promise<Release> {
  const { agency, dataset, period, facts } = matter
  await lockReleases(tx, agency)
  const { margins, dimensions } = datasetNamed(dataset)
  const { published, suppressed, totals } = disclose(cells, {
    k: VEHICLES_MIN,
    dominancePercent: DOMINANCE_PERCENT,
    margins,
  })
  const fingerprint = digestOf(dataset, period, published)
  const earlier = (await releasesOf(tx, agency, dataset, period)).filter(({ noise }) => noise === '')
  const names = dimensions.map(({ name }) => name)
  for (const release of earlier) {
    if (release.digest === fingerprint) return release
    const before = await releasedCells(tx, release.id)
    const refusal = differenceRefusal(
      { dimensions: names, cells: before },
      { dimensions: names, cells: published },
      VEHICLES_MIN,
    )
    if (refusal) throw new InputError('DIFFERENCE', `${dataset} of ${period} is not released again: ${refusal}`)
  }
  const release: Release = {
    id: deriveId('release', agency, dataset, period, fingerprint),
    agency,
    dataset,
    period,
    noise: '',
    cost: 0,
    k: VEHICLES_MIN,
    rows: published.length,
    suppressed,
    totals,
    facts,
    digest: fingerprint,
    releasedAt: now,
  }
  await saveRelease(tx, release, published)
  return release
}

/**
 * A release with noise on it, drawn once: whoever asks again gets the same, so that no average takes the noise away. InputError BUDGET where
 * the table's budget doesn't suffice.
 */
export async function letOutNoisy(tx: Tx, exact: Release, noise: Noise, now: Instant): Promise<Release> {
  const { agency, dataset, period } = exact
  await lockReleases(tx, agency)
  const name = noiseName(noise)
  const earlier = await releasesOf(tx, agency, dataset, period)
  const same = earlier.find((release) => release.noise === name && release.facts['of'] === exact.id)
  if (same) return same
  const { measures } = datasetNamed(dataset)
  // The count of vehicles is a number as well.
  const cost = costOf(noise, measures.length + 1)
  const spending = spend(budgetOf(earlier.reduce((sum, release) => sum + release.cost, 0)), cost)
  if (spending.is === 'refused')
    throw new InputError(
      'BUDGET',
      `${name} would take rho ${cost / 1e6} and ${dataset} of ${period} has ${spending.left / 1e6} left: ask for more noise`,
    )
  const bounds = measures.map(({ bound }) => bound)
  const cells = withNoise(
    (await releasedCells(tx, exact.id)).map((cell) => ({ ...cell, squares: NaN, largest: 0n, second: 0n })),
    bounds,
    noise,
    secureDraw,
  )
  const fingerprint = digestOf(dataset, period, cells)
  const release: Release = {
    ...exact,
    id: deriveId('release', agency, dataset, period, name, exact.id),
    noise: name,
    cost,
    // Exact totals would take the noise away from whatever cell is alone.
    totals: null,
    facts: {
      ...exact.facts,
      of: exact.id,
      rho: cost / 1e6,
      epsilon: epsilonOf(cost),
      delta: 1e-6,
      hides: 'one vehicle in one cell',
    },
    digest: fingerprint,
    releasedAt: now,
  }
  await saveRelease(tx, release, cells)
  return release
}

export const noiseName = ({ kind, millionths }: Noise): string => `${kind}:${millionths}`

/** The noise of that name; null for none. */
export function noiseNamed(name: string): Noise | null {
  const [kind, millionths] = name.split(':')
  return name === '' ? null : { kind: kind as Noise['kind'], millionths: Number(millionths) }
}

const digestOf = (dataset: string, period: string, cells: readonly ReleasedCell[]) =>
  digest({
    dataset,
    period,
    cells: cells.map(({ key, vehicles, sums }) => [...key, vehicles, ...sums]),
  })

/** Uniform in [0, below) from the system's secure source, by rejection: no remainder favours any number. */
const secureDraw: Draw = (below) => {
  const bytes = Math.ceil(below.toString(16).length / 2) + 1
  const span = 1n << BigInt(8 * bytes)
  const most = span - (span % below)
  for (;;) {
    const drawn = BigInt(`0x${randomBytes(bytes).toString('hex')}`)
    // Of the extra byte at most one in 256 is rejected.
    if (drawn < most) return drawn % below
  }
}
