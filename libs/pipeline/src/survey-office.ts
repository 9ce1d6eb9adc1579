import { surveySchema, answersSchema, parseOrExplain, type Survey } from '#contracts'
import { Tally } from '#disclosure'
import { DATASETS, NONE } from '#evaluation'
import { InputError, type AccountId, type AgencyId, type Instant } from '#kernel'
import { addAnswers, addSurvey, answeredBy, answersOf, ratedVehicles, surveysOf, type Release, type Tx } from '#store'
import { type Line } from './line'
import { letOut } from './release'

/** Opens a survey of an agency's citizens. InputError lists every fault; SURVEY_TAKEN where there is one of that id. */
export async function openSurvey(tx: Tx, agency: AgencyId, document: unknown, now: Instant): Promise<Survey> {
  const survey = parseOrExplain(surveySchema, document, 'the survey')
  if (Date.parse(survey.until) <= now) throw new InputError('SURVEY_PAST', `survey ${survey.id} ends in the past`)
  if ((await addSurvey(tx, agency, survey, now)) === 0)
    throw new InputError('SURVEY_TAKEN', `${agency} has a survey ${survey.id}: what was asked is never changed`)
  return survey
}

/** The surveys that are open to an account now, with whether it has answered. */
export async function openSurveys(tx: Tx, agency: AgencyId, account: AccountId, now: Instant) {
  const answered = new Set(await answeredBy(tx, account))
  return (await surveysOf(tx, agency))
    .filter((survey) => isOpen(survey, now))
    .map((survey) => ({ ...survey, answered: answered.has(survey.id) }))
}

const isOpen = ({ from, until }: Survey, now: Instant): boolean => Date.parse(from) <= now && now < Date.parse(until)

/** Keeps an account's answers; the first ones stand. InputError where the survey isn't open or an answer is none of its options. */
export async function answerSurvey(
  tx: Tx,
  agency: AgencyId,
  account: AccountId,
  id: string,
  given: unknown,
  now: Instant,
): Promise<void> {
  const { answers } = parseOrExplain(answersSchema, given, 'the answer')
  const survey = (await surveysOf(tx, agency)).find((one) => one.id === id)
  if (!survey) throw new InputError('NO_SURVEY', `there is no survey ${id}`)
  if (!isOpen(survey, now))
    throw new InputError('SURVEY_CLOSED', `survey ${id} is open from ${survey.from} until ${survey.until}`)
  for (const [question, answer] of Object.entries(answers)) {
    const options = survey.questions.find((one) => one.id === question)?.options
    if (!options) throw new InputError('ANSWER', `survey ${id} has no question ${question}`)
    if (!Object.hasOwn(options, answer))
      throw new InputError(
        'ANSWER',
        `question ${question} has no option ${answer}; there are ${Object.keys(options).join(', ')}`,
      )
  }
  if ((await addAnswers(tx, agency, id, account, answers, now)) === 0)
    throw new InputError('ANSWERED', `survey ${id} was answered already: the first answers stand`)
}

/** Lets out how a survey was answered so far. InputError DIFFERENCE where too few have answered since it was let out last. */
export async function releaseSurvey(tx: Tx, agency: AgencyId, id: string, now: Instant, line: Line): Promise<Release> {
  const survey = (await surveysOf(tx, agency)).find((one) => one.id === id)
  if (!survey) throw new InputError('NO_SURVEY', `there is no survey ${id}`)
  const people = await answersOf(tx, agency, id)
  const drivers = people.flatMap(({ vehicle }) => (vehicle ? [{ vehicle, at: line.clock.now() }] : []))
  const armOf = new Map((await ratedVehicles(tx, drivers)).map(({ vehicle, arm }) => [vehicle, arm]))
  const tally = new Tally(DATASETS.survey.measures.map(({ bound }) => bound))
  for (const { answers, vehicle } of people) {
    const arm = (vehicle && armOf.get(vehicle)) ?? NONE
    tally.add(Object.entries(answers).map(([question, answer]) => ({ key: [question, answer, arm], sums: [1n] })))
  }
  const questions = Object.fromEntries(survey.questions.map((question) => [question.id, question.text]))
  return letOut(
    tx,
    { agency, dataset: 'survey', period: id, facts: { survey: survey.title, questions } },
    tally.cells(),
    now,
  )
}
