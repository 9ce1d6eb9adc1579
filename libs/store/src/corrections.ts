import { type Charge, type VehicleClass } from '#contracts'
import { canonical, micros, type AccountId, type AgencyId, type Instant, type Micros, type TripId } from '#kernel'
import { type Period } from './periods'
import { type Tx } from './store'

/** A trip as it was priced, and as it is priced since a dispute about it was upheld. */
export interface CorrectionRow {
  readonly dispute: string
  readonly agency: AgencyId
  readonly account: AccountId
  readonly trip: TripId
  /** 1 for the first correction of a trip. */
  readonly revision: number
  readonly because: string
  /** What its vehicle was found to be. */
  readonly vehicleClass: VehicleClass | null
  readonly was: readonly Charge[]
  readonly now: readonly Charge[]
  /** What the charges differ by. */
  readonly amount: Micros
  /** What the payer gets back, with what it changes in caps and the like. */
  readonly givenBack: Micros
  readonly madeAt: Instant
}

type Row = Record<'dispute' | 'because' | 'amount' | 'given_back' | 'made_at', string> & {
  agency: AgencyId
  account: AccountId
  trip: TripId
  revision: number
  vehicle_class: VehicleClass | null
  was: StoredCharge[]
  now: StoredCharge[]
}
type StoredCharge = Omit<Charge, 'amount' | 'rate'> & { amount: string; rate: { micros: string; per: 'mile' } | null }

const chargeFrom = ({ amount, rate, ...rest }: StoredCharge): Charge => ({
  ...rest,
  amount: micros(BigInt(amount)),
  rate: rate && { ...rate, micros: micros(BigInt(rate.micros)) },
})

const correctionFrom = (row: Row): CorrectionRow => ({
  dispute: row.dispute,
  agency: row.agency,
  account: row.account,
  trip: row.trip,
  revision: row.revision,
  because: row.because,
  vehicleClass: row.vehicle_class,
  was: row.was.map(chargeFrom),
  now: row.now.map(chargeFrom),
  amount: micros(BigInt(row.amount)),
  givenBack: micros(BigInt(row.given_back)),
  madeAt: Number(row.made_at) as Instant,
})

export const saveCorrection = (tx: Tx, c: CorrectionRow): Promise<number> =>
  tx.run(
    `insert into money.correction (dispute, agency, account, trip, revision, because, vehicle_class, was, now, amount, given_back, made_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10, $11, $12)`,
    [
      c.dispute,
      c.agency,
      c.account,
      c.trip,
      c.revision,
      c.because,
      c.vehicleClass,
      canonical(c.was),
      canonical(c.now),
      c.amount,
      c.givenBack,
      c.madeAt,
    ],
  )

/** The corrections of a trip, the latest last. */
export const correctionsOf = async (tx: Tx, trip: TripId): Promise<CorrectionRow[]> =>
  (await tx.rows<Row>(`select * from money.correction where trip = $1 order by revision`, [trip])).map(correctionFrom)

/** The cut-off of a period takes in what was corrected since the last one. */
export const takeCorrections = (tx: Tx, { agency, month }: Period): Promise<number> =>
  tx.run(
    `insert into money.period_correction (dispute, agency, month) select dispute, agency, $2 from money.correction c where agency = $1
       and not exists (select 1 from money.period_correction p where p.dispute = c.dispute)`,
    [agency, month],
  )

/** Corrections of accounts that the cut-off of a period took in, in the order in which they were made. */
export const cutoffCorrections = async (
  tx: Tx,
  { agency, month }: Period,
  accounts: readonly AccountId[],
): Promise<CorrectionRow[]> =>
  (
    await tx.rows<Row>(
      `select c.* from money.period_correction p join money.correction c using (dispute)
       where p.agency = $1 and p.month = $2 and c.account = any($3::text[]) order by c.made_at, c.trip, c.revision`,
      [agency, month, accounts],
    )
  ).map(correctionFrom)
