import { digest, type AgencyId, type Instant } from '#kernel'
import { type Tx } from './store'

/** Of whom an arm was when it was told about: names that are no ids. */
export interface ToldArm {
  readonly months: string
  readonly arm: string
  readonly members: readonly string[]
}

const NAME_BYTES = 8
const nameOf = (vehicle: string): string => digest(['told', vehicle]).slice(0, 2 * NAME_BYTES)

/** As `ToldArm` has them, in order. */
export const memberNames = (vehicles: Iterable<string>): string[] => [...vehicles].map(nameOf).sort()

/** What was told of an agency's pilots, one question at a time: the lock is held to the end of the transaction. */
export async function toldArms(tx: Tx, agency: AgencyId): Promise<ToldArm[]> {
  await tx.run(`select pg_advisory_xact_lock(hashtextextended('evaluation/' || $1, 0))`, [agency])
  const rows = await tx.rows<{ months: string; arm: string; members: Buffer }>(
    `select months, arm, members from results.evaluation where agency = $1 order by told_at, months, arm`,
    [agency],
  )
  return rows.map(({ months, arm, members }) => ({
    months,
    arm,
    members: members.toString('hex').match(new RegExp(`.{${2 * NAME_BYTES}}`, 'g')) ?? [],
  }))
}

export const saveTold = async (tx: Tx, agency: AgencyId, arms: readonly ToldArm[], now: Instant): Promise<void> => {
  for (const { months, arm, members } of arms)
    await tx.run(
      `insert into results.evaluation (agency, months, arm, members, told_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
      [agency, months, arm, Buffer.from(members.join(''), 'hex'), now],
    )
}
