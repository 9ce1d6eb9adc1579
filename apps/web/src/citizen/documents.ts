import type { z } from 'zod'
import type { statementSchema, WalletPlan } from '#contracts'

/** A statement as it is sealed: amounts are decimal strings of micros. */
export type StatementDocument = z.input<typeof statementSchema>
export type JourneyDocument = StatementDocument['journeys'][number]

/** `GET /v1/statements` */
export interface StatementRow {
  readonly id: string
  readonly month: string
  readonly state: 'draft' | 'sealed'
  readonly dueMicros: string
  readonly dueOn: string
  readonly reviewUntil: string
  readonly totals: StatementDocument['totals']
}

/** `GET /v1/balance` */
export interface Balance {
  readonly statements: readonly {
    readonly statement: string
    readonly month: string
    readonly dueMicros: string
    readonly paidMicros: string
    readonly heldMicros: string
    readonly outstandingMicros: string
    readonly state: 'due' | 'held' | 'paid'
  }[]
  readonly creditMicros: string
  readonly drivenMicros: string
  readonly availableMicros: string
  readonly wallet: (WalletPlan & { readonly isLow: boolean }) | null
}

/** `GET /v1/disputes` */
export interface DisputeRow {
  readonly id: string
  readonly statement: string
  readonly trip: string
  readonly line: number | null
  readonly amountMicros: string
  readonly reason: 'not-driven' | 'wrong-road' | 'private-road' | 'wrong-vehicle' | 'wrong-price' | 'other'
  readonly state: 'open' | 'upheld' | 'refused' | 'withdrawn'
  readonly openedAt: number
  /** The last day, `2026-10-05`. */
  readonly decideBy: string
  readonly steps: readonly {
    readonly kind: 'opened' | 'evidence' | 'note' | 'upheld' | 'refused' | 'withdrawn'
    readonly by: 'citizen' | 'agency'
    readonly at: number
    readonly text?: string | null
  }[]
}

/** `GET /v1/vehicles` */
export interface VehicleRow {
  readonly vehicle: string
  readonly name: string
  readonly fromAt: number | null
  readonly untilAt: number | null
  readonly method: 'location' | 'odometer' | 'permit'
  readonly chosen: readonly { readonly from: number; readonly method: 'location' | 'odometer' | 'permit' }[]
}

/** `GET /v1/vehicles/{vehicle}/odometer` */
export interface Odometer {
  readonly readings: readonly {
    readonly id: string
    readonly at: number
    readonly mm: number
    readonly source: 'device' | 'photo' | 'inspection'
    readonly photo?: string | null
  }[]
}

/** Whole micros of one coin-and-unit sum of decimal strings. */
export const sumMicros = (amounts: Iterable<string>): bigint => {
  let sum = 0n
  for (const amount of amounts) sum += BigInt(amount)
  return sum
}
