import { type Survey } from '#contracts'
import { type AccountId, type AgencyId, type Instant, type VehicleId } from '#kernel'
import { type Tx } from './store'

/** Opens a survey. It is never changed: what was asked is what was answered. 0 where there is one of that id. */
export const addSurvey = (tx: Tx, agency: AgencyId, survey: Survey, now: Instant): Promise<number> =>
  tx.run(
    `insert into metering.survey (agency, id, document, from_at, until_at, recorded_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [agency, survey.id, JSON.stringify(survey), Date.parse(survey.from), Date.parse(survey.until), now],
  )

/** The surveys of an agency, newest first. */
export const surveysOf = async (tx: Tx, agency: AgencyId): Promise<Survey[]> =>
  (
    await tx.rows<{ document: Survey }>(
      `select document from metering.survey where agency = $1 order by from_at desc, id`,
      [agency],
    )
  ).map(({ document }) => document)

/** Keeps the answers of an account. 0 where it has answered: the first answers stand. */
export const addAnswers = (
  tx: Tx,
  agency: AgencyId,
  survey: string,
  account: AccountId,
  answers: Readonly<Record<string, string>>,
  now: Instant,
): Promise<number> =>
  tx.run(
    `insert into metering.survey_answer (agency, survey, account, answers, recorded_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [agency, survey, account, JSON.stringify(answers), now],
  )

/** Which surveys an account has answered. */
export const answeredBy = async (tx: Tx, account: AccountId): Promise<string[]> =>
  (await tx.rows<{ survey: string }>(`select survey from metering.survey_answer where account = $1`, [account])).map(
    ({ survey }) => survey,
  )

/** What an account answered, oldest first. */
export const ownAnswers = async (
  tx: Tx,
  account: AccountId,
): Promise<{ survey: string; answers: Record<string, string>; at: number }[]> =>
  (
    await tx.rows<{ survey: string; answers: Record<string, string>; at: string }>(
      `select survey, answers, recorded_at as at from metering.survey_answer where account = $1 order by recorded_at, survey`,
      [account],
    )
  ).map((row) => ({ ...row, at: Number(row.at) }))

/** Takes an account's answers until a moment away, and says to which surveys: what was released of them stays, it says of nobody. */
export const takeAnswers = async (tx: Tx, account: AccountId, until: Instant): Promise<string[]> =>
  (
    await tx.rows<{ survey: string }>(
      `delete from metering.survey_answer where account = $1 and recorded_at <= $2 returning survey`,
      [account, until],
    )
  )
    .map(({ survey }) => survey)
    .sort()

/** All answers, each with a vehicle of its account: by it the account is in an arm. */
export const answersOf = (
  tx: Tx,
  agency: AgencyId,
  survey: string,
): Promise<{ account: AccountId; answers: Record<string, string>; vehicle: VehicleId | null }[]> =>
  tx.rows(
    `select a.account, a.answers, (select min(v.id) from metering.vehicle v where v.account = a.account) as vehicle
     from metering.survey_answer a where a.agency = $1 and a.survey = $2 order by a.account`,
    [agency, survey],
  )
