import { type Micros } from '#kernel'
import { type Clock, type Settings } from '#runtime'
import { type Tx, type WorkKey } from '#store'
import { type Reference } from './reference'

/** What stages work with: the clock, the limits they obey, and what is the same for all trips. */
export interface Line {
  readonly clock: Clock
  readonly settings: Pick<
    Settings,
    | 'tripRestMs'
    | 'gapWaitMs'
    | 'backtestThreads'
    | 'backtestTrips'
    | 'keepFixesHours'
    | 'keepStretchesDays'
    | 'keepUnpaidDays'
    | 'keepRejectedHours'
  >
  readonly reference: Reference
  /** Told what a trip was charged less because its roads are in doubt: a metric. A piece of work that is done again is told again. */
  readonly onForgone?: (currency: string, amount: Micros) => void
}

export const LINE = Symbol('Line')

/**
 * One step of the line: loads what the keys name, lets pure code decide, saves, all in the transaction it is handed, and
 * returns the work that is to be done next. Done again it changes nothing.
 */
export interface Stage {
  /** How many keys it is handed at most: several where they share most of the work. */
  readonly most: number
  work(tx: Tx, keys: readonly string[], line: Line): Promise<WorkKey[]>
}

/** A step that takes one key at a time. */
export const oneByOne = (work: (tx: Tx, key: string, line: Line) => Promise<WorkKey[]>): Stage => ({
  most: 1,
  work: (tx, [key], line) => work(tx, key, line),
})
