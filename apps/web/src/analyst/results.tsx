import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { type MonthView } from '#contracts'
import { KILOMETRE_MM, MILE_MM } from '#kernel'
import { useGet } from '../shared/api'
import { Chart } from '../shared/chart'
import { SelectField } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { useDatasetWords } from './dataset-words'
import { type DatasetView, type TableView } from './tables'

type Shown = Exclude<MonthView, { suppressed: true | string }>
const isShown = (month: MonthView): month is Shown => month.suppressed === undefined
const ROWS_DRAWN_MAX = 24
const ROWS_LISTED_MAX = 200

/** What the pilot came to: by month, and in the tables that were released of its months. */
export function Results() {
  const { t } = useTranslation('analyst')
  const { agency } = useMe()
  const months = useGet<readonly MonthView[]>(`/v1/agencies/${agency.id}/results`)
  return (
    <Page title={t('results.title')} lead={t('results.lead')} wide>
      <Section title={t('results.months')}>
        <Load of={months}>
          {(rows) => (rows.length > 0 ? <Months rows={rows} /> : <Empty title={t('results.none')} />)}
        </Load>
      </Section>
      <Section title={t('results.tables')} hint={t('results.tablesHow')}>
        <Tables />
      </Section>
    </Page>
  )
}

function Months({ rows }: { rows: readonly MonthView[] }) {
  const { t } = useTranslation('analyst')
  const { number, distance, money, price, month, unit } = useFormats()
  const perMm = unit === 'mile' ? MILE_MM : KILOMETRE_MM
  const shown = rows.filter(isShown)
  const option = useMemo(
    () => ({
      legend: { top: 0, right: 0 },
      grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
      xAxis: { type: 'category', data: shown.map((row) => month(row.month)) },
      yAxis: { type: 'value' },
      series: (['chargedMm', 'freeMm'] as const).map((name) => ({
        name: t(name === 'freeMm' ? 'results.free' : 'results.charged'),
        type: 'bar',
        stack: 'all',
        barMaxWidth: 56,
        data: shown.map((row) => Math.round(row[name] / perMm)),
      })),
    }),
    [rows, perMm, month, t],
  )
  const cell = (of: (row: Shown) => string) => (row: MonthView) => (isShown(row) ? of(row) : null)
  return (
    <>
      {shown.length > 1 && <Chart label={t('results.chart')} option={option} />}
      <Table
        caption={t('results.months')}
        isCaptionHidden
        rows={[...rows].reverse()}
        keyOf={(row) => row.month}
        columns={[
          { id: 'month', title: t('results.month'), cell: (row) => month(row.month) },
          {
            id: 'vehicles',
            title: t('results.vehicles'),
            isNumber: true,
            cell: (row) => (isShown(row) ? number(row.vehicles) : t('results.hidden')),
          },
          { id: 'trips', title: t('results.trips'), isNumber: true, cell: cell(({ trips }) => number(trips)) },
          {
            id: 'charged',
            title: t('results.charged'),
            isNumber: true,
            cell: cell(({ chargedMm }) => distance(chargedMm)),
          },
          { id: 'free', title: t('results.free'), isNumber: true, cell: cell(({ freeMm }) => distance(freeMm)) },
          {
            id: 'amount',
            title: t('results.amount'),
            isNumber: true,
            cell: cell(({ amountMicros }) => money(amountMicros)),
          },
          {
            id: 'price',
            title: t('results.perMile'),
            isNumber: true,
            cell: cell(({ amountMicros, chargedMm }) =>
              chargedMm > 0
                ? `${price((Number(amountMicros) * perMm) / chargedMm)}/${unit === 'mile' ? 'mi' : 'km'}`
                : '',
            ),
          },
        ]}
      />
    </>
  )
}

/** A released table, chosen by name and month. */
function Tables() {
  const { t } = useTranslation('analyst')
  const { titleOf, aboutOf } = useDatasetWords()
  const { agency } = useMe()
  const { month: monthName } = useFormats()
  const datasets = useGet<readonly DatasetView[]>(`/v1/agencies/${agency.id}/datasets`)
  const months = useGet<readonly string[]>(`/v1/agencies/${agency.id}/datasets/months`)
  const [name, setName] = useState('')
  const [month, setMonth] = useState('')
  return (
    <Load of={datasets}>
      {(all) => (
        <Load of={months}>
          {(out) => {
            if (out.length === 0)
              return (
                <Empty title={t('results.noTables')}>
                  {t('results.noTablesHow')}{' '}
                  <Link className="govuk-link" to="/analyst/exports">
                    {t('results.toExports')}
                  </Link>
                </Empty>
              )
            const dataset = all.find((one) => one.dataset === name) ?? all[0]
            const of = month || out.at(-1)!
            return (
              <>
                <div className="rm-pair">
                  <SelectField
                    id="dataset"
                    name="dataset"
                    label={t('results.table')}
                    value={dataset.dataset}
                    options={all.map((one) => ({ value: one.dataset, label: titleOf(one) }))}
                    onValue={setName}
                  />
                  <SelectField
                    id="month"
                    name="month"
                    label={t('results.of')}
                    value={of}
                    options={out.map((value) => ({ value, label: monthName(value) }))}
                    onValue={setMonth}
                  />
                </div>
                <p className="govuk-body rm-muted">{aboutOf(dataset)}</p>
                <Released key={`${dataset.dataset} ${of}`} dataset={dataset} month={of} />
              </>
            )
          }}
        </Load>
      )}
    </Load>
  )
}

function Released({ dataset, month }: { dataset: DatasetView; month: string }) {
  const { t } = useTranslation('analyst')
  const { titleOf, columnOf } = useDatasetWords()
  const { agency } = useMe()
  const { number, distance, money, month: monthName } = useFormats()
  const table = useGet<TableView>(`/v1/agencies/${agency.id}/datasets/${dataset.dataset}?period=${month}`)
  const said = (unit: DatasetView['measures'][number]['unit'], value: number): string =>
    unit === 'mm' ? distance(value) : unit === 'micros' ? money(value) : number(Math.round(value * 100) / 100)
  if (table.state === 'failed' && table.problem.status === 404)
    return (
      <Empty title={t('results.notReleased', { month: monthName(month) })}>
        {t('results.notReleasedHow')}{' '}
        <Link className="govuk-link" to="/analyst/exports">
          {t('results.toExports')}
        </Link>
      </Empty>
    )
  const [first] = dataset.measures
  return (
    <Load of={table}>
      {({ rows, suppressed, truncated }) => (
        <>
          {rows.some(({ mean }) => mean) && <Means dataset={dataset} rows={rows} />}
          <Table
            caption={titleOf(dataset)}
            isCaptionHidden
            rows={rows.slice(0, ROWS_LISTED_MAX)}
            keyOf={(_, i) => i}
            columns={[
              ...dataset.dimensions.map(({ name }) => ({
                id: name,
                title: columnOf(name),
                cell: (row: TableView['rows'][number]) => String(row[name]),
              })),
              {
                id: 'vehicles',
                title: t('results.vehicles'),
                isNumber: true,
                cell: ({ vehicles }) => number(vehicles),
              },
              ...dataset.measures.map(({ name, unit }) => ({
                id: name,
                title: columnOf(name),
                isNumber: true,
                cell: (row: TableView['rows'][number]) => said(unit, Number(row[name])),
              })),
              {
                id: 'mean',
                title: t('results.interval'),
                isNumber: true,
                cell: ({ mean }) => mean && `${said(first.unit, mean.low)} – ${said(first.unit, mean.high)}`,
              },
            ]}
          />
          {(truncated || rows.length > ROWS_LISTED_MAX) && (
            <p className="govuk-body rm-muted">
              {t('results.truncated', { count: Math.min(rows.length, ROWS_LISTED_MAX) })}
            </p>
          )}
          {suppressed > 0 && <p className="govuk-body rm-muted">{t('results.suppressed', { count: suppressed })}</p>}
        </>
      )}
    </Load>
  )
}

function Means({ dataset, rows }: { dataset: DatasetView; rows: TableView['rows'] }) {
  const { t } = useTranslation('analyst')
  const { titleOf } = useDatasetWords()
  const { unit } = useFormats()
  const option = useMemo(() => {
    const [{ unit: of }] = dataset.measures
    const scale = of === 'mm' ? (unit === 'mile' ? MILE_MM : KILOMETRE_MM) : of === 'micros' ? 1e6 : 1
    const drawn = rows.filter(({ mean }) => mean).slice(0, ROWS_DRAWN_MAX)
    const round = (value: number) => Math.round((value / scale) * 100) / 100
    return {
      xAxis: {
        type: 'category',
        data: drawn.map((row) => dataset.dimensions.map(({ name }) => row[name]).join(' ')),
        axisLabel: { hideOverlap: true },
      },
      yAxis: { type: 'value' },
      series: [
        // A box from the lower to the upper bound, its middle the mean: the whiskers end where the box does.
        {
          type: 'boxplot',
          data: drawn.map(({ mean }) => [mean!.low, mean!.low, mean!.mean, mean!.high, mean!.high].map(round)),
        },
      ],
    }
  }, [dataset, rows, unit])
  return <Chart label={t('results.tableChart', { title: titleOf(dataset) })} option={option} />
}
