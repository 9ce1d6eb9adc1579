import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { BacktestProgressView } from '#contracts'
import { send, useGet, useLive } from '../shared/api'
import { Form, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { useDatasetWords } from './dataset-words'
import { type DatasetView, type ExportView } from './tables'

const FORMATS = ['csv', 'parquet', 'geoparquet'] as const

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
  const { titleOf } = useDatasetWords()
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
          options={all.map((one) => ({ value: one.dataset, label: titleOf(one) }))}
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
  const isUnderWay = rows.some(isWaiting)
  const [progress, setProgress] = useState<BacktestProgressView>([])
  useLive<BacktestProgressView>(isUnderWay ? `${base}/exports/events` : null, (told) => {
    setProgress(told)
    if (told.some(({ id, isDone }) => isDone && rows.some((row) => row.id === id && isWaiting(row)))) reload()
  })
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
          cell: (row) => <State of={row} now={progress.find(({ id }) => id === row.id)} />,
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
          // One thing in its cell, which is a row of its own in a narrow window.
          cell: ({ id, files }) => (
            <span>
              {files.map((file) => (
                <span key={file}>
                  <a className="govuk-link rm-breaks" href={`${base}/exports/${id}/${file}`} download>
                    {file}
                  </a>{' '}
                </span>
              ))}
            </span>
          ),
        },
      ]}
    />
  )
}

const isWaiting = ({ state }: ExportView): boolean => state === 'counting' || state === 'waiting'

function State({ of, now }: { of: ExportView; now: BacktestProgressView[number] | undefined }) {
  const { t } = useTranslation('analyst')
  if (of.refused !== null) return of.refused
  if (!isWaiting(of) || !now || now.trips === 0) return t(`exports.states.${of.state}`)
  const said = t('exports.counting', { done: now.tripsDone, of: now.trips })
  return (
    <span>
      <progress className="rm-progress" max={now.trips} value={now.tripsDone} aria-label={said} /> {said}
    </span>
  )
}

function Dictionary({ of }: { of: DatasetView }) {
  const { t } = useTranslation('analyst')
  const { titleOf, aboutOf, meansOf } = useDatasetWords()
  const { dimensions, measures } = of
  const title = titleOf(of)
  const columns = [...dimensions.map((one) => ({ ...one, unit: '' as const })), ...measures]
  return (
    <details className="govuk-details">
      <summary className="govuk-details__summary">
        <span className="govuk-details__summary-text">{title}</span>
      </summary>
      <div className="govuk-details__text">
        <p className="govuk-body">{aboutOf(of)}</p>
        <Table
          caption={t('exports.columnsOf', { title })}
          isCaptionHidden
          rows={columns}
          keyOf={({ name }) => name}
          columns={[
            { id: 'column', title: t('exports.column'), cell: ({ name }) => <code>{name}</code> },
            { id: 'means', title: t('exports.means'), cell: meansOf },
            { id: 'unit', title: t('exports.unit'), cell: ({ unit }) => unit && t(`units.${unit}`) },
          ]}
        />
      </div>
    </details>
  )
}
