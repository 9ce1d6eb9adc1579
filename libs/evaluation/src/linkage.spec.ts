import { disclose, Tally, VEHICLES_MIN, type Cell } from '#disclosure'
import { DATASETS } from '#evaluation'
import { chance } from '#kernel'

// Four points of a trajectory single out 95 % of people (de Montjoye et al., "Unique in the Crowd", 2013). So: somebody who knows four
// places and hours of a vehicle looks for a fifth in the tables. Truth is synthetic: everybody has ways of their own, and a habit (how
// far in the month) that would link the rows that stand for one alone.

const VEHICLES = 4_000
const PLACES = 500
const OWN = 12
const KNOWN = 4
const dice = chance('linkage')

interface Truth {
  /** Cells, as place/hour, and how far it drove in each. */
  readonly cells: readonly string[]
  readonly distanceMm: number
}
/** Popular places are popular: the chance of a place falls with its rank. */
const place = () => Math.floor(PLACES * dice.next() ** 3)
const truths = Array.from({ length: VEHICLES }, (): Truth => {
  const cells = new Set<string>()
  while (cells.size < OWN) cells.add(`${place()}/${dice.below(24)}`)
  return { cells: [...cells], distanceMm: 1_000 + dice.below(50_000_000) }
})
const tally = new Tally(DATASETS['trips-by-grid'].measures.map(({ bound }) => bound))
for (const { cells, distanceMm } of truths)
  tally.add(
    cells.map((cell) => ({
      key: [cell.split('/')[0], 'workday', cell.split('/')[1]],
      sums: [BigInt(distanceMm), 1n],
    })),
  )
const raw = tally.cells()
const released = disclose(raw, {
  k: VEHICLES_MIN,
  dominancePercent: 10,
  margins: DATASETS['trips-by-grid'].margins,
}).published

const nameOf = ({ key }: Pick<Cell, 'key'>) => `${key[0]}/${key[2]}`

/** Share of vehicles of which `guess` names a fifth cell that is true, from four that are known. */
function success(guess: (known: readonly string[]) => string | null): number {
  const draws = chance('attack')
  let found = 0
  for (const { cells } of truths) {
    const known = [...cells].sort(() => draws.next() - 0.5).slice(0, KNOWN)
    const guessed = guess(known)
    if (guessed !== null && !known.includes(guessed) && cells.includes(guessed)) found++
  }
  return found / VEHICLES
}

/** Whoever knows nothing of a vehicle says what most do. */
function popular(table: readonly Cell[]): (known: readonly string[]) => string | null {
  const byVehicles = [...table].sort((a, b) => b.vehicles - a.vehicles).map(nameOf)
  return (known) => byVehicles.find((name) => !known.includes(name)) ?? null
}

/**
 * Links rows: where a known cell has the fewest vehicles, its distance is nearest to the habit of the one looked for. Another row of as few with
 * that very distance is taken for its; where there is none, what most do.
 */
function linking(table: readonly Cell[]): (known: readonly string[]) => string | null {
  const cells = new Map(table.map((cell) => [nameOf(cell), cell]))
  const byHabit = new Map<string, string[]>()
  const habitOf = ({ vehicles, sums }: Cell) => `${vehicles} ${sums[0]}`
  for (const cell of table) byHabit.set(habitOf(cell), [...(byHabit.get(habitOf(cell)) ?? []), nameOf(cell)])
  const fallback = popular(table)
  return (known) => {
    const [rarest] = known.flatMap((name) => cells.get(name) ?? []).sort((a, b) => a.vehicles - b.vehicles)
    const others = rarest ? byHabit.get(habitOf(rarest))!.filter((name) => !known.includes(name)) : []
    return others.length > 0 ? others[0] : fallback(known)
  }
}

describe('whoever knows four points of a vehicle', () => {
  const byChance = success(popular(released))

  it('would find a fifth in tables that nothing was withheld from', () => {
    expect(success(linking(raw))).toBeGreaterThan(byChance + 0.05)
  })
  it('finds it in released tables as rarely as by chance, to within 1 %', () => {
    expect(released.length).toBeGreaterThan(100)
    expect(success(linking(released))).toBeLessThanOrEqual(byChance + 0.01)
  })
  it('finds no row that it could subtract itself from to see fewer than nine others', () => {
    expect(Math.min(...released.map(({ vehicles }) => vehicles))).toBeGreaterThanOrEqual(VEHICLES_MIN)
  })
})
