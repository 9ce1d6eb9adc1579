import { useTranslation } from 'react-i18next'
import { Link, useSearchParams } from 'react-router'
import { send, useGet } from '../shared/api'
import { Form, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Notice, Page } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { type DisputeRow } from './documents'

export function Disputes() {
  const { t } = useTranslation('citizen')
  const [search] = useSearchParams()
  const disputes = useGet<DisputeRow[]>('/v1/disputes')
  return (
    <Page title={t('disputes.title')} lead={t('disputes.lead')}>
      {search.has('asked') && <Notice kind="success" title={t('disputes.asked')} />}
      <Load of={disputes}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={t('disputes.none')}>
              <Link className="govuk-link" to="/my/statements">
                {t('disputes.noneNote')}
              </Link>
            </Empty>
          ) : (
            rows.map((row) => <File key={row.id} row={row} changed={disputes.reload} />)
          )
        }
      </Load>
    </Page>
  )
}

function File({ row, changed }: { row: DisputeRow; changed: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const isOpen = row.state === 'open'
  return (
    <article className="rm-card rm-section">
      <h2 className="govuk-heading-m">
        {t(`dispute.is.${row.reason}`)}: {format.money(row.amountMicros)}
      </h2>
      <p className="govuk-body">
        <span className={`rm-tag rm-tag--${isOpen ? 'warn' : 'good'}`}>{t(`disputes.is.${row.state}`)}</span>{' '}
        {isOpen && t('disputes.by', { date: format.date(row.decideBy) })}{' '}
        <Link className="govuk-link" to={`/my/trips/${row.trip}`}>
          {t('disputes.trip')}
        </Link>
      </p>
      <ol className="govuk-list">
        {row.steps.map((step, i) => (
          <li key={i}>
            <strong>
              {format.moment(step.at)}, {t(`disputes.who.${step.by}`)}, {t(`disputes.did.${step.kind}`)}
            </strong>{' '}
            {/* In a language of whoever wrote it. */}
            <span lang="">{step.text}</span>
          </li>
        ))}
      </ol>
      {isOpen && <Note id={row.id} changed={changed} />}
    </article>
  )
}

function Note({ id, changed }: { id: string; changed: () => void }) {
  const { t } = useTranslation('citizen')
  const form = useForm(
    { text: '' },
    {
      check: ({ text }) => (text.trim() ? {} : { text: t('disputes.noteFault') }),
      send: async ({ text }) => {
        await send('POST', `/v1/disputes/${id}/notes`, { text })
        form.set({ text: '' })
        changed()
      },
    },
  )
  return (
    <>
      <Form form={form} submit={t('disputes.noteSend')}>
        <TextField {...form.bind('text')} label={t('disputes.note')} rows={2} />
      </Form>
      <button
        type="button"
        className="govuk-button govuk-button--secondary"
        onClick={() => void send('POST', `/v1/disputes/${id}/withdrawal`).then(changed)}
      >
        {t('disputes.withdraw')}
      </button>
    </>
  )
}
