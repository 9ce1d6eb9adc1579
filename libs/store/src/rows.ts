import { Column, Entity, PrimaryColumn, type ValueTransformer } from 'typeorm'
import { type Instant, type Micros } from '#kernel'

/** int8 as money: bigint in the program, text on the wire. */
const bigints: ValueTransformer = {
  from: (v: string | null) => (v === null ? null : BigInt(v)),
  to: (v: bigint | null) => v?.toString() ?? null,
}
/** int8 as a moment or a count, always within 2^53. */
const numbers: ValueTransformer = {
  from: (v: string | null) => (v === null ? null : Number(v)),
  to: (v: number | null) => v,
}

/** The rows that the command line reads one by one, through repositories. Everything else is written in SQL, in the room's other files. */
@Entity({ schema: 'metering', name: 'agency' })
export class AgencyRow {
  @PrimaryColumn('text') id!: string
  @Column('text') name!: string
}

@Entity({ schema: 'metering', name: 'account' })
export class AccountRow {
  @PrimaryColumn('text') id!: string
  @Column('text') agency!: string
  @Column('text') name!: string
}

@Entity({ schema: 'tariff', name: 'policy' })
export class PolicyRow {
  @PrimaryColumn('text') agency!: string
  @PrimaryColumn('text') id!: string
  @Column('text') digest!: string
  @Column('jsonb') document!: unknown
  @Column('bigint', { name: 'starts_at', transformer: numbers }) startsAt!: Instant
  @Column('bigint', { name: 'recorded_at', transformer: numbers }) recordedAt!: Instant
}

@Entity({ schema: 'money', name: 'period' })
export class PeriodRow {
  @PrimaryColumn('text') agency!: string
  @PrimaryColumn('text') month!: string
  @Column('text') state!: PeriodState
  /** When the month was first found to be over, on the database's clock. */
  @Column('timestamptz', { name: 'closing_since', nullable: true }) closingSince!: Date | null
  @Column('bigint', { name: 'cutoff_at', transformer: numbers, nullable: true }) cutoffAt!: Instant | null
  @Column('bigint', { name: 'drafted_at', transformer: numbers, nullable: true }) draftedAt!: Instant | null
  @Column('bigint', { name: 'sealed_at', transformer: numbers, nullable: true }) sealedAt!: Instant | null
  @Column('text', { nullable: true }) root!: string | null
  /** How many statements are sealed so far. */
  @Column('int', { nullable: true }) size!: number | null
}
export type PeriodState = 'open' | 'cutoff' | 'rated' | 'drafted' | 'sealed'

@Entity({ schema: 'money', name: 'statement' })
export class StatementRow {
  @PrimaryColumn('text') id!: string
  @Column('text') agency!: string
  @Column('text') account!: string
  @Column('text') month!: string
  @Column('text') state!: 'draft' | 'sealed'
  /** The canonical JSON that was sealed, byte for byte. */
  @Column('text') document!: string
  @Column('text') digest!: string
  @Column('bigint', { transformer: bigints }) due!: Micros
  /** Before rounding: what the ledger moves when it is sealed. */
  @Column('bigint', { transformer: bigints }) exact!: Micros
  /** Its place among the leaves of the period's Merkle tree, once sealed. */
  @Column('int', { nullable: true }) leaf!: number | null
}

export const ROWS = [AgencyRow, AccountRow, PolicyRow, PeriodRow, StatementRow]
