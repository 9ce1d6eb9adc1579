import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import type { FaultView, PolicyView, PreviewView, QuestionView } from '#contracts'
import { Problem, send } from '../shared/api'
import { Form, TextField, useForm } from '../shared/form'
import { useMe } from '../shared/me'
import { Notice, Section } from '../shared/page'

interface Step {
  readonly story: PolicyView
  readonly reload: () => void
}
interface CheckView {
  readonly faults: readonly FaultView[]
  readonly questions: readonly QuestionView[]
}

/** What comes next in the life of a policy, and the form for it where whoever reads this is the one to take it. */
export function NextStep({ story, reload }: Step) {
  const { t } = useTranslation('agency')
  const { role } = useMe()
  const isOfficer = role === 'editor' || role === 'approver'
  const { state } = story
  return (
    <Section title={t('policy.next')}>
      <Notice kind={state === 'returned' ? 'warning' : 'info'}>{t(`policy.nextIs.${state}`)}</Notice>
      {isOfficer && state === 'draft' && <Check story={story} reload={reload} />}
      {role === 'editor' && state === 'backtested' && <Submit story={story} reload={reload} />}
      {role === 'approver' && state === 'submitted' && <Decide story={story} reload={reload} />}
      {isOfficer && state === 'approved' && (
        <WithReason story={story} reload={reload} step="schedule" label={t('policy.schedule')} />
      )}
      {role === 'editor' && ['superseded', 'ended', 'in-force'].includes(state) && <RollBack story={story} />}
    </Section>
  )
}

const usePath = (story: PolicyView) => `/v1/agencies/${useMe().agency.id}/drafts/${story.policy}`

function Check({ story, reload }: Step) {
  const { t, i18n } = useTranslation('agency')
  const path = usePath(story)
  const [report, setReport] = useState<CheckView | null>(null)
  const form = useForm(
    {},
    {
      check: () => ({}),
      send: async () => {
        const found = await send<CheckView>('POST', `${path}/check?language=${i18n.language}`)
        setReport(found)
        if (found.faults.length === 0) reload()
      },
    },
  )
  return (
    <>
      {report && report.faults.length > 0 && (
        <Notice kind="warning" title={t('policy.checkFaults', { count: report.faults.length })}>
          <ul className="govuk-list govuk-list--bullet">
            {report.faults.map(({ path: where, expected, found }, i) => (
              <li key={i}>
                <code>{where}</code>: {expected}; {found}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <Form form={form} submit={t('policy.check')}>
        {null}
      </Form>
    </>
  )
}

/** Asks for approval, with an answer to everything that the check asks. */
function Submit({ story, reload }: Step) {
  const path = usePath(story)
  // A check of a checked policy is the same again: its questions are what has to be answered.
  const [asked, setAsked] = useState<readonly QuestionView[] | null>(null)
  const { t, i18n } = useTranslation('agency')
  const unanswered = (questions: readonly QuestionView[], answers: Record<string, string>) =>
    Object.fromEntries(
      questions
        .map(({ path: where }) => fieldOf(where))
        .filter((field) => !answers[field]?.trim())
        .map((field) => [field, t('policy.answerMissing')]),
    )
  const form = useForm<Record<string, string>>(
    { reason: '' },
    {
      check: ({ reason, ...answers }) => ({
        ...(reason.trim() ? {} : { reason: t('policy.reasonMissing') }),
        ...unanswered(asked ?? [], answers),
      }),
      send: async ({ reason, ...given }) => {
        const answers = Object.fromEntries((asked ?? []).map(({ path: where }) => [where, given[fieldOf(where)]]))
        try {
          await send('POST', `${path}/submit`, { reason, ...(asked ? { answers } : {}) })
          reload()
        } catch (error) {
          if (!(error instanceof Problem) || error.code !== 'POLICY_QUESTIONS') throw error
          // The same in the reader's language: what is refused is said in one.
          const said = await send<PreviewView>('POST', `${path}/preview?language=${i18n.language}`, story.document)
          const questions = error.faults.map(({ path: where, expected }) => ({
            path: where,
            question: said.questions.find((one) => one.path === where)?.question ?? questionIn(expected),
          }))
          setAsked(questions)
          return unanswered(questions, given)
        }
      },
    },
  )
  return (
    <Form form={form} submit={t('policy.submit')}>
      <TextField label={t('policy.reason')} rows={3} {...form.bind('reason')} />
      {asked && asked.length > 0 && (
        <fieldset className="govuk-fieldset">
          <legend className="govuk-fieldset__legend govuk-fieldset__legend--s">{t('policy.questions')}</legend>
          {asked.map(({ path: where, question }) => (
            <TextField
              key={where}
              label={question}
              hint={<code>{where}</code>}
              {...form.bind(fieldOf(where))}
              value={form.values[fieldOf(where)] ?? ''}
            />
          ))}
        </fieldset>
      )}
    </Form>
  )
}

/** An answer's field: named after what the question is about, and no other field. */
const fieldOf = (where: string): string => `answer ${where}`

function Decide({ story, reload }: Step) {
  const { t } = useTranslation('agency')
  const { name } = useMe()
  const isOwn = story.revisions.some(({ author }) => author === name)
  if (isOwn) return <Notice kind="warning">{t('policy.notYours')}</Notice>
  return (
    <div className="rm-columns">
      <div className="rm-card">
        <p className="govuk-body">{t('policy.approveHow')}</p>
        <WithReason story={story} reload={reload} step="approve" label={t('policy.approve')} />
      </div>
      <div className="rm-card">
        <WithReason story={story} reload={reload} step="return" label={t('policy.giveBack')} />
      </div>
    </div>
  )
}

/** A step that needs nothing but why; an approval names the very document that is shown. */
function WithReason({ story, reload, step, label }: Step & { step: 'approve' | 'return' | 'schedule'; label: string }) {
  const { t } = useTranslation('agency')
  const path = usePath(story)
  const form = useForm(
    { reason: '' },
    {
      check: ({ reason }) => (reason.trim() ? {} : { reason: t('policy.reasonMissing') }),
      send: async ({ reason }) => {
        await send('POST', `${path}/${step}`, { reason, ...(step === 'approve' ? { digest: story.digest } : {}) })
        reload()
      },
    },
  )
  return (
    <Form form={form} submit={label}>
      <TextField label={t('policy.reason')} rows={2} {...form.bind('reason')} />
    </Form>
  )
}

function RollBack({ story }: Pick<Step, 'story'>) {
  const { t } = useTranslation('agency')
  const { agency } = useMe()
  const go = useNavigate()
  const form = useForm(
    { policy: '', startsAt: '', reason: '' },
    {
      check: ({ policy, startsAt, reason }) => ({
        ...(/^[a-z0-9][a-z0-9-]{0,59}$/.test(policy) ? {} : { policy: t('policy.idWrong') }),
        ...(startsAt ? {} : { startsAt: t('policy.dayMissing') }),
        ...(reason.trim() ? {} : { reason: t('policy.reasonMissing') }),
      }),
      send: async ({ policy, startsAt, reason }) => {
        const moment = startOfDay(startsAt, story.document.timeZone)
        await send('POST', `/v1/agencies/${agency.id}/drafts/${policy}/rollback`, {
          to: story.policy,
          startsAt: moment,
          reason,
        })
        await go(`/agency/policies/${policy}`)
      },
    },
  )
  return (
    <details className="govuk-details">
      <summary className="govuk-details__summary">
        <span className="govuk-details__summary-text">{t('policy.rollback')}</span>
      </summary>
      <div className="govuk-details__text">
        <p className="govuk-body">{t('policy.rollbackHow')}</p>
        <Form form={form} submit={t('policy.rollback')}>
          <TextField
            label={t('policy.rollbackId')}
            hint={t('policy.rollbackIdHint')}
            width={20}
            {...form.bind('policy')}
          />
          <TextField label={t('policy.rollbackStart')} type="date" width={10} {...form.bind('startsAt')} />
          <TextField label={t('policy.reason')} rows={2} {...form.bind('reason')} />
        </Form>
      </div>
    </details>
  )
}

/** The api says what it expected: an answer to a question. */
const questionIn = (expected: string): string => expected.replace(/^expected an answer: /, '')

/** Midnight of a day (`2027-01-01`) in a time zone, as ISO 8601 with its offset. */
export function startOfDay(day: string, timeZone: string): string {
  const utc = Date.parse(`${day}T00:00:00Z`)
  // The offset before a midnight is nearly always that of the midnight: clocks change later in the night.
  const name = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(utc)
    .find(({ type }) => type === 'timeZoneName')!.value
  return `${day}T00:00:00${name === 'GMT' ? 'Z' : name.slice(3)}`
}
