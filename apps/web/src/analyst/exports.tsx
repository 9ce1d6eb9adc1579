import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { send, useGet } from '../shared/api'
import { Form, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { type DatasetView, type ExportView } from './tables'

const FORMATS = ['csv', 'parquet', 'geoparquet'] as const
const LOOK_MS = 2_000

/** Files for analysts: asked for, in the register of what was released, with what every column means. */
export function Exports() {
  const { t } = useTranslation('analyst')
  const { agency } = useMe()
  const base = `/v1/agencies/${agency.id}`
  const datasets = useGet<readonly DatasetView[]>(`${base}/datasets`)
  const exports = useGet<readonly ExportView[]>(`${base}/exports`)
  return (
    <Page title={t('exports.title')} lead={t('exports.lead')} wide>
      <Load of={datasets}>
        {(all) => (
          <>
            <Section title={t('exports.ask')}>
              <Ask all={all} base={base} reload={exports.reload} />
            </Section>
            <Section title={t('exports.register')} hint={t('exports.registerHow')}>
              <Load of={exports}>{(rows) => <Register rows={rows} base={base} reload={exports.reload} />}</Load>
            </Section>
            <Section title={t('exports.dictionary')}>
              {all.map((dataset) => (
                <Dictionary key={dataset.dataset} of={dataset} />
              ))}
            </Section>
          </>
        )}
      </Load>
    </Page>
  )
}

function Ask({ all, base, reload }: { all: readonly DatasetView[]; base: string; reload: () => void }) {
  const { t } = useTranslation('analyst')
  const [isAsked, setAsked] = useState(false)
  const form = useForm(
    { dataset: all[0]?.dataset ?? '', period: '', format: 'csv' as (typeof FORMATS)[number] },
    {
      check: ({ period }) =>
        /^\d{4}-(0[1-9]|1[0-2])$/.test(period.trim()) ? {} : { period: t('exports.periodWrong') },
      send: async ({ period, ...rest }) => {
        await send('POST', `${base}/exports`, { ...rest, period: period.trim() })
        setAsked(true)
        reload()
      },
    },
  )
  return (
    <>
      {isAsked && <Notice kind="success">{t('exports.asked')}</Notice>}
      <Form form={form} submit={t('exports.send')}>
        <SelectField
          label={t('exports.dataset')}
          options={all.map(({ dataset, title }) => ({ value: dataset, label: title }))}
          {...form.bind('dataset')}
        />
        <TextField label={t('exports.period')} hint={t('exports.periodHint')} width={10} {...form.bind('period')} />
        <SelectField
          label={t('exports.format')}
          options={FORMATS.map((value) => ({ value, label: t(`exports.formats.${value}`) }))}
          {...form.bind('format')}
        />
      </Form>
    </>
  )
}

function Register({ rows, base, reload }: { rows: readonly ExportView[]; base: string; reload: () => void }) {
  const { t } = useTranslation('analyst')
  const { moment, number } = useFormats()
  const isUnderWay = rows.some(({ state }) => state === 'counting' || state === 'waiting')
  useEffect(() => {
    if (!isUnderWay) return
    const timer = setTimeout(reload, LOOK_MS)
    return () => clearTimeout(timer)
  }, [rows, isUnderWay, reload])
  if (rows.length === 0) return <Empty title={t('exports.none')} />
  return (
    <Table
      caption={t('exports.register')}
      isCaptionHidden
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        { id: 'dataset', title: t('exports.dataset'), cell: ({ dataset }) => dataset },
        { id: 'period', title: t('exports.period'), cell: ({ period }) => period },
        { id: 'when', title: t('exports.when'), cell: ({ askedAt }) => moment(askedAt) },
        {
          id: 'state',
          title: t('exports.state'),
          cell: ({ state, refused, progress }) =>
            refused ?? (progress ? t('exports.counting', progress) : t(`exports.states.${state}`)),
        },
        {
          id: 'rows',
          title: t('exports.rows'),
          isNumber: true,
          cell: ({ rows: count }) => count !== null && number(count),
        },
        {
          id: 'files',
          title: t('exports.files'),
          cell: ({ id, files }) =>
            files.map((file) => (
              <span key={file}>
                <a className="govuk-link" href={`${base}/exports/${id}/${file}`} download>
                  {file}
                </a>{' '}
              </span>
            )),
        },
      ]}
    />
  )
}

function Dictionary({ of: { title, about, dimensions, measures } }: { of: DatasetView }) {
  const { t } = useTranslation('analyst')
  const columns = [...dimensions.map((one) => ({ ...one, unit: '' })), ...measures]
  return (
    <details className="govuk-details">
      <summary className="govuk-details__summary">
        <span className="govuk-details__summary-text">{title}</span>
      </summary>
      <div className="govuk-details__text">
        <p className="govuk-body">{about}</p>
        <Table
          caption={t('exports.columnsOf', { title })}
          isCaptionHidden
          rows={columns}
          keyOf={({ name }) => name}
          columns={[
            { id: 'column', title: t('exports.column'), cell: ({ name }) => <code>{name}</code> },
            { id: 'means', title: t('exports.means'), cell: ({ about: means }) => means },
            { id: 'unit', title: t('exports.unit'), cell: ({ unit }) => unit },
          ]}
        />
      </div>
    </details>
  )
}
