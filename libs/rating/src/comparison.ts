import { micros, type Micros } from '#kernel'

/** A cell of a comparison stands for at least this many vehicles or accounts, or it isn't shown. */
export const CELL_MIN = 10
/** Of long lists the cells that change most are shown. */
const CELLS_SHOWN_MAX = 50
/** Groups of CELL_MIN accounts whose bills rise most. */
const RISES_MAX = 10
const PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99]

/** What charges are added up by: where it was driven, on what, when, and by what. */
export const CELL_KINDS = ['zone', 'roadClass', 'road', 'hour', 'vehicleClass'] as const
export type CellKind = (typeof CELL_KINDS)[number]
/** What accounts are put together by; an account may have several programmes, but one area. */
export const GROUP_KINDS = ['vehicleClass', 'programme', 'area'] as const
export type GroupKind = (typeof GROUP_KINDS)[number]

/** What one account would be billed for the same driving under two tariffs, and what that is made of. */
export interface ComparedAccount {
  readonly trips: number
  readonly vehicles: number
  readonly distanceMm: number
  /** After caps, allowances and all other accruals. */
  readonly before: Micros
  readonly after: Micros
  readonly groups: Readonly<Record<GroupKind, readonly string[]>>
  /** Charges before accruals, and how many of the account's vehicles they are of. */
  readonly cells: readonly {
    readonly kind: CellKind
    readonly name: string
    readonly vehicles: number
    readonly distanceMm: number
    readonly before: number
    readonly after: number
  }[]
}

/** Whole micros: a number where a double holds them exactly, which is nearly always and quick, else in decimal. */
type Exact = number | string

/**
 * Comparisons of many accounts, added up; a plain object, so that parts can be stored and put together in any order. It names
 * nobody, but a bill is in it for each account: it is for the machine, what is for people is `comparisonOf`.
 */
export interface ComparisonSums {
  trips: number
  vehicles: number
  distanceMm: number
  /** A pair of micros for each account, in no order. */
  bills: [before: Exact, after: Exact][]
  /** By kind and name, apart by a space: accounts, of which pay more, of which pay less, micros before, micros after. */
  groups: Record<string, [accounts: number, more: number, less: number, before: Exact, after: Exact]>
  /** By kind and name, apart by a space: vehicles, distance, micros before, micros after. */
  cells: Record<string, [vehicles: number, distanceMm: number, before: Exact, after: Exact]>
}

export const noComparison = (): ComparisonSums => ({
  trips: 0,
  vehicles: 0,
  distanceMm: 0,
  bills: [],
  groups: {},
  cells: {},
})

const exact = (amount: bigint): Exact => {
  const short = Number(amount)
  return Number.isSafeInteger(short) ? short : String(amount)
}
const plus = (a: Exact, b: Exact): Exact => {
  const sum = typeof a === 'number' && typeof b === 'number' ? a + b : NaN
  return Number.isSafeInteger(sum) ? sum : exact(BigInt(a) + BigInt(b))
}

/** Adds an account to sums. */
export function addAccount(sums: ComparisonSums, account: ComparedAccount): void {
  const [before, after] = [exact(account.before), exact(account.after)]
  sums.trips += account.trips
  sums.vehicles += account.vehicles
  sums.distanceMm += account.distanceMm
  sums.bills.push([before, after])
  for (const kind of GROUP_KINDS)
    for (const name of account.groups[kind]) {
      const group = (sums.groups[`${kind} ${name}`] ??= [0, 0, 0, 0, 0])
      group[0]++
      if (account.after > account.before) group[1]++
      if (account.after < account.before) group[2]++
      group[3] = plus(group[3], before)
      group[4] = plus(group[4], after)
    }
  for (const { kind, name, vehicles, distanceMm, ...amounts } of account.cells) {
    const cell = (sums.cells[`${kind} ${name}`] ??= [0, 0, 0, 0])
    cell[0] += vehicles
    cell[1] += distanceMm
    cell[2] = plus(cell[2], amounts.before)
    cell[3] = plus(cell[3], amounts.after)
  }
}

/** Adds a part to sums. */
export function addSums(sums: ComparisonSums, part: ComparisonSums): void {
  sums.trips += part.trips
  sums.vehicles += part.vehicles
  sums.distanceMm += part.distanceMm
  for (const bill of part.bills) sums.bills.push(bill)
  for (const [key, [accounts, more, less, before, after]] of Object.entries(part.groups)) {
    const group = (sums.groups[key] ??= [0, 0, 0, 0, 0])
    group[0] += accounts
    group[1] += more
    group[2] += less
    group[3] = plus(group[3], before)
    group[4] = plus(group[4], after)
  }
  for (const [key, [vehicles, distanceMm, before, after]] of Object.entries(part.cells)) {
    const cell = (sums.cells[key] ??= [0, 0, 0, 0])
    cell[0] += vehicles
    cell[1] += distanceMm
    cell[2] = plus(cell[2], before)
    cell[3] = plus(cell[3], after)
  }
}

/** Amounts are whole micros in decimal. */
export interface Comparison {
  readonly trips: number
  readonly vehicles: number
  readonly accounts: number
  readonly distanceMm: number
  readonly revenue: { readonly before: Micros; readonly after: Micros }
  /** null where there are too few accounts to say it without saying it of somebody. */
  readonly bills: {
    readonly more: number
    readonly less: number
    readonly same: number
    /** Change of the bill at percentiles of the accounts, those left out that fewer than CELL_MIN accounts lie beyond. */
    readonly changeAt: readonly { readonly percentile: number; readonly change: Micros }[]
    /** Mean bills of CELL_MIN accounts each, the largest rises first; only of those that rise. */
    readonly largestRises: readonly { readonly accounts: number; readonly before: Micros; readonly after: Micros }[]
  } | null
  readonly groups: Readonly<
    Record<
      GroupKind,
      readonly {
        readonly name: string
        readonly accounts: number
        readonly more: number
        readonly less: number
        readonly before: Micros
        readonly after: Micros
      }[]
    >
  >
  readonly cells: Readonly<
    Record<
      CellKind,
      readonly {
        readonly name: string
        readonly vehicles: number
        readonly distanceMm: number
        readonly before: Micros
        readonly after: Micros
      }[]
    >
  >
  /** Groups and cells that stand for fewer than CELL_MIN, and so aren't shown. */
  readonly suppressed: number
}

/** What a comparison comes to, for people: nothing in it stands for fewer than CELL_MIN vehicles or accounts. */
export function comparisonOf(sums: ComparisonSums): Comparison {
  let suppressed = 0
  const shown = <T extends { name: string; before: Micros; after: Micros }>(
    all: Record<string, readonly (number | string)[]>,
    kind: string,
    of: (name: string, row: never) => T,
  ): T[] =>
    Object.entries(all)
      .filter(([key]) => key.startsWith(`${kind} `))
      .filter(([, row]) => {
        const enough = (row[0] as number) >= CELL_MIN
        if (!enough) suppressed++
        return enough
      })
      .map(([key, row]) => of(key.slice(kind.length + 1), row as never))
      .sort((a, b) => byChange(a, b) || (a.name < b.name ? -1 : 1))
      .slice(0, CELLS_SHOWN_MAX)
  const groups = byKind(GROUP_KINDS, (kind) =>
    shown(sums.groups, kind, (name, [accounts, more, less, before, after]: ComparisonSums['groups'][string]) => ({
      name,
      accounts,
      more,
      less,
      before: money(before),
      after: money(after),
    })),
  )
  const cells = byKind(CELL_KINDS, (kind) =>
    shown(sums.cells, kind, (name, [vehicles, distanceMm, before, after]: ComparisonSums['cells'][string]) => ({
      name,
      vehicles,
      distanceMm,
      before: money(before),
      after: money(after),
    })),
  )
  const bills = sums.bills.map(([before, after]) => ({ before: BigInt(before), after: BigInt(after) }))
  const total = (side: 'before' | 'after') => micros(bills.reduce((sum, bill) => sum + bill[side], 0n))
  return {
    trips: sums.trips,
    vehicles: sums.vehicles,
    accounts: bills.length,
    distanceMm: sums.distanceMm,
    revenue: { before: total('before'), after: total('after') },
    bills: bills.length < CELL_MIN ? null : distributionOf(bills),
    groups,
    cells,
    suppressed,
  }
}

export const byKind = <K extends string, T>(kinds: readonly K[], of: (kind: K) => T): Record<K, T> =>
  Object.fromEntries(kinds.map((kind) => [kind, of(kind)])) as Record<K, T>
const money = (amount: Exact): Micros => micros(BigInt(amount))
const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount)
/** The largest changes first. */
const byChange = (a: { before: bigint; after: bigint }, b: { before: bigint; after: bigint }): number =>
  Number(size(b.after - b.before) - size(a.after - a.before))

function distributionOf(bills: { before: bigint; after: bigint }[]): NonNullable<Comparison['bills']> {
  const rising = bills
    .map(({ before, after }) => ({ before, after, change: after - before }))
    .sort((a, b) => Number(a.change - b.change) || Number(a.before - b.before))
  const count = rising.length
  const beyond = (percentile: number) => Math.floor((count * Math.min(percentile, 100 - percentile)) / 100)
  const largest: { accounts: number; before: Micros; after: Micros }[] = []
  const mean = (rows: typeof rising, side: 'before' | 'after') =>
    micros(rows.reduce((sum, row) => sum + row[side], 0n) / BigInt(rows.length))
  for (let end = count; end >= CELL_MIN && largest.length < RISES_MAX; end -= CELL_MIN) {
    const rows = rising.slice(end - CELL_MIN, end)
    if (rows[0].change <= 0n) break
    largest.push({ accounts: rows.length, before: mean(rows, 'before'), after: mean(rows, 'after') })
  }
  const more = rising.filter(({ change }) => change > 0n).length
  const less = rising.filter(({ change }) => change < 0n).length
  return {
    more,
    less,
    same: count - more - less,
    changeAt: PERCENTILES.filter((percentile) => beyond(percentile) >= CELL_MIN || percentile === 50).map(
      (percentile) => ({
        percentile,
        change: micros(rising[Math.min(count - 1, Math.floor((count * percentile) / 100))].change),
      }),
    ),
    largestRises: largest,
  }
}
