import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Survey } from '#contracts'
import { send, useGet } from '../shared/api'
import { Form, RadioField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Notice, Section } from '../shared/page'

/** `GET /v1/surveys` */
type OpenSurvey = Survey & { readonly answered: boolean }

/** What the city asks its citizens, where it asks something that isn't answered yet. */
export function Surveys() {
  const { t } = useTranslation('citizen')
  const surveys = useGet<OpenSurvey[]>('/v1/surveys')
  const [thanks, setThanks] = useState(false)
  const open = surveys.state === 'ready' ? surveys.data.filter(({ answered }) => !answered) : []
  if (open.length === 0 && !thanks) return null
  return (
    <Section title={t('surveys.title')} hint={t('surveys.hint')}>
      {thanks && <Notice kind="success" title={t('surveys.thanks')} />}
      {open.map((survey) => (
        <Ask
          key={survey.id}
          survey={survey}
          done={() => {
            setThanks(true)
            surveys.reload()
          }}
        />
      ))}
    </Section>
  )
}

function Ask({ survey: { id, title, until, questions }, done }: { survey: OpenSurvey; done: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const form = useForm<Record<string, string>>(Object.fromEntries(questions.map((question) => [question.id, ''])), {
    check: (answers) => (Object.values(answers).some(Boolean) ? {} : { [questions[0].id]: t('surveys.none') }),
    send: async (answers) => {
      const given = Object.entries(answers).filter(([, option]) => option !== '')
      await send('POST', `/v1/surveys/${id}/answers`, { answers: Object.fromEntries(given) })
      done()
    },
  })
  return (
    <div className="rm-card">
      <h3 className="govuk-heading-s">{title}</h3>
      <p className="govuk-body rm-muted">{t('surveys.until', { date: format.moment(Date.parse(until)) })}</p>
      <Form form={form} submit={t('surveys.send')}>
        {questions.map(({ id: question, text, options }) => (
          <RadioField
            key={question}
            {...form.bind(question)}
            label={text}
            options={Object.entries(options).map(([value, label]) => ({ value, label }))}
          />
        ))}
      </Form>
    </div>
  )
}
