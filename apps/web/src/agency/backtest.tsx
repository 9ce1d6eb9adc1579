import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import type { BacktestProgressView, BacktestView, ComparisonView } from '#contracts'
import { send, useGet, useLive } from '../shared/api'
import { Chart } from '../shared/chart'
import { Form, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Figure, Figures, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { MoneyFigures } from './money'

/** Backtests of a policy: asked for, watched as they go on, and what they came to. */
export default function Backtest() {
  const { t } = useTranslation('agency')
  const { policy } = useParams()
  const { agency, role } = useMe()
  const path = `/v1/agencies/${agency.id}/drafts/${policy}/backtests`
  const backtests = useGet<readonly BacktestView[]>(path)
  return (
    <Page
      title={t('backtest.title')}
      lead={t('backtest.lead')}
      back={{ to: `/agency/policies/${policy}`, label: policy! }}
      wide
    >
      {(role === 'editor' || role === 'approver') && <Ask path={path} reload={backtests.reload} />}
      <Load of={backtests}>
        {(all) =>
          all.length === 0 ? (
            <Empty title={t('backtest.none')}>{t('backtest.noneHow')}</Empty>
          ) : (
            <>
              {all.some(({ report }) => !report) && <Running path={path} all={all} reload={backtests.reload} />}
              {[...all].reverse().map((one) => one.report && <Result key={one.id} of={one} report={one.report} />)}
            </>
          )
        }
      </Load>
    </Page>
  )
}

function Ask({ path, reload }: { path: string; reload: () => void }) {
  const { t } = useTranslation('agency')
  const form = useForm(
    { months: '' },
    {
      check: ({ months }) =>
        listed(months).every((month) => /^\d{4}-(0[1-9]|1[0-2])$/.test(month))
          ? {}
          : { months: t('backtest.monthsWrong') },
      send: async ({ months }) => {
        const named = listed(months)
        await send('POST', path, named.length > 0 ? { months: named } : {})
        reload()
      },
    },
  )
  return (
    <Form form={form} submit={t('backtest.start')}>
      <TextField label={t('backtest.months')} width={20} {...form.bind('months')} />
    </Form>
  )
}
const listed = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean)

/** Backtests that are under way, as they go on. */
function Running({ path, all, reload }: { path: string; all: readonly BacktestView[]; reload: () => void }) {
  const { t } = useTranslation('agency')
  const { number } = useFormats()
  const [progress, setProgress] = useState<BacktestProgressView>([])
  useLive<BacktestProgressView>(`${path}/events`, (told) => {
    setProgress(told)
    if (told.every(({ isDone }) => isDone)) reload()
  })
  return all
    .filter(({ report }) => !report)
    .map(({ id, trips, tripsDone, askedBy, revision }) => {
      const done = progress.find((one) => one.id === id)?.tripsDone ?? tripsDone
      const said = t('backtest.progress', { done: number(done), all: number(trips) })
      return (
        <div className="rm-card" key={id}>
          <p className="govuk-body">{t('backtest.askedBy', { person: askedBy, revision })}</p>
          <progress className="rm-progress" max={Math.max(1, trips)} value={done} aria-label={said} />
          <p className="govuk-body rm-muted" role="status">
            {said}
          </p>
        </div>
      )
    })
}

function Result({ of, report }: { of: BacktestView; report: NonNullable<BacktestView['report']> }) {
  const { t } = useTranslation('agency')
  const { number, month, money } = useFormats()
  const { comparison, books, gone } = report
  const months = of.months.map(month).join(', ')
  return (
    <Section
      title={t('backtest.done', { trips: number(comparison.trips), accounts: number(comparison.accounts), months })}
      hint={t('backtest.askedBy', { person: of.askedBy, revision: of.revision })}
    >
      <MoneyFigures of={comparison} />
      <Distribution of={comparison} />
      <Groups of={comparison} />
      <Cells of={comparison} />
      <Figures>
        <Figure
          name={t('backtest.books')}
          value={books.agree ? t('backtest.booksYes') : '≠'}
          note={
            books.agree
              ? money(books.booked)
              : t('backtest.booksNo', { booked: money(books.booked), recomputed: money(books.recomputed) })
          }
        />
      </Figures>
      {gone > 0 && <p className="govuk-body">{t('backtest.gone', { count: gone })}</p>}
    </Section>
  )
}

/** The change of the bill at percentiles of the accounts, as a plot and as a table. */
function Distribution({ of: { bills, accounts } }: { of: ComparisonView }) {
  const { t } = useTranslation('agency')
  const { money, share } = useFormats()
  const option = useMemo(() => {
    if (!bills) return null
    const points = bills.changeAt.map(({ percentile, change }) => [percentile, Number(change) / 1e6])
    const parts = [
      { name: t('backtest.less'), value: bills.less },
      { name: t('backtest.same'), value: bills.same },
      { name: t('backtest.more'), value: bills.more },
    ]
    // One point is no curve: then how many pay more and less is what there is to see.
    return points.length > 2
      ? {
          xAxis: { type: 'value', min: 0, max: 100, name: t('backtest.percentile') },
          yAxis: { type: 'value' },
          series: [{ type: 'line', data: points, smooth: true, areaStyle: { opacity: 0.12 }, symbolSize: 8 }],
        }
      : {
          xAxis: { type: 'value', max: accounts },
          yAxis: { type: 'category', data: [''] },
          legend: { top: 0 },
          series: parts.map(({ name, value }) => ({ name, type: 'bar', stack: 'all', data: [value], barMaxWidth: 40 })),
        }
  }, [bills, accounts, t])
  if (!bills || !option) return <Empty title={t('backtest.fewBills')} />
  return (
    <>
      <h3 className="govuk-heading-s">{t('backtest.distribution')}</h3>
      <div className="rm-columns">
        <Chart
          label={t('backtest.distributionLabel')}
          option={option}
          heightPx={bills.changeAt.length > 2 ? 260 : 140}
        />
        <Table
          caption={t('backtest.distributionLabel')}
          isCaptionHidden
          rows={bills.changeAt}
          keyOf={({ percentile }) => percentile}
          columns={[
            { id: 'percentile', title: t('backtest.percentile'), cell: ({ percentile }) => share(percentile / 100) },
            { id: 'change', title: t('backtest.change'), isNumber: true, cell: ({ change }) => money(change) },
          ]}
        />
      </div>
      {bills.largestRises.length > 0 && (
        <>
          <h3 className="govuk-heading-s">{t('backtest.rises')}</h3>
          <p className="govuk-body rm-muted">{t('backtest.risesHow')}</p>
          <Table
            caption={t('backtest.rises')}
            isCaptionHidden
            rows={bills.largestRises}
            keyOf={(_, i) => i}
            columns={[
              { id: 'accounts', title: t('backtest.accountsColumn'), cell: ({ accounts: count }) => count },
              { id: 'before', title: t('backtest.before'), isNumber: true, cell: ({ before }) => money(before) },
              { id: 'after', title: t('backtest.after'), isNumber: true, cell: ({ after }) => money(after) },
            ]}
          />
        </>
      )}
    </>
  )
}

function Groups({ of: { groups, suppressed } }: { of: ComparisonView }) {
  const { t } = useTranslation('agency')
  const { money, number } = useFormats()
  const kinds = (Object.keys(groups) as (keyof typeof groups)[]).filter((kind) => groups[kind].length > 0)
  const [chosen, setKind] = useState(kinds[0])
  const kind = kinds.includes(chosen) ? chosen : kinds[0]
  return (
    <>
      <h3 className="govuk-heading-s">{t('backtest.winners')}</h3>
      {!kind ? (
        <p className="govuk-body">{t('backtest.allSuppressed')}</p>
      ) : (
        <>
          <SelectField
            id="group-kind"
            name="group-kind"
            label={t('backtest.by')}
            value={kind}
            options={kinds.map((value) => ({ value, label: t(`backtest.group.${value}`) }))}
            onValue={setKind}
          />
          <Table
            caption={t('backtest.winners')}
            isCaptionHidden
            rows={groups[kind]}
            keyOf={({ name }) => name}
            columns={[
              { id: 'name', title: t(`backtest.group.${kind}`), cell: ({ name }) => name || t('backtest.unnamed') },
              { id: 'more', title: t('backtest.more'), isNumber: true, cell: ({ more }) => number(more) },
              { id: 'less', title: t('backtest.less'), isNumber: true, cell: ({ less }) => number(less) },
              { id: 'before', title: t('backtest.before'), isNumber: true, cell: ({ before }) => money(before) },
              { id: 'after', title: t('backtest.after'), isNumber: true, cell: ({ after }) => money(after) },
            ]}
          />
        </>
      )}
      {suppressed > 0 && <p className="govuk-body rm-muted">{t('backtest.suppressed', { count: suppressed })}</p>}
    </>
  )
}

function Cells({ of: { cells } }: { of: ComparisonView }) {
  const { t } = useTranslation('agency')
  const { money, number, distance } = useFormats()
  const kinds = (Object.keys(cells) as (keyof typeof cells)[]).filter((kind) => cells[kind].length > 0)
  const [chosen, setKind] = useState(kinds[0])
  const kind = kinds.includes(chosen) ? chosen : kinds[0]
  const rows = kind
    ? [...cells[kind]].sort((a, b) => (kind === 'hour' && a.name < b.name ? -1 : kind === 'hour' ? 1 : 0))
    : []
  const option = useMemo(() => {
    const bar = (name: string, of: 'before' | 'after') => ({
      name,
      type: 'bar',
      barMaxWidth: 18,
      data: rows.slice(0, 24).map((row) => Math.round(Number(row[of]) / 1e4) / 100),
    })
    return {
      legend: { top: 0, right: 0 },
      grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
      xAxis: { type: 'category', data: rows.slice(0, 24).map(({ name }) => name), axisLabel: { hideOverlap: true } },
      yAxis: { type: 'value' },
      series: [bar(t('backtest.before'), 'before'), bar(t('backtest.after'), 'after')],
    }
  }, [kind, cells, t])
  if (!kind) return null
  return (
    <>
      <h3 className="govuk-heading-s">{t('backtest.charges')}</h3>
      <SelectField
        id="cell-kind"
        name="cell-kind"
        label={t('backtest.by')}
        value={kind}
        options={kinds.map((value) => ({ value, label: t(`backtest.cell.${value}`) }))}
        onValue={setKind}
      />
      <Chart label={t('backtest.charges')} option={option} />
      <Table
        caption={t('backtest.charges')}
        isCaptionHidden
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { id: 'name', title: t(`backtest.cell.${kind}`), cell: ({ name }) => name || t('backtest.unnamed') },
          { id: 'vehicles', title: t('backtest.vehicles'), isNumber: true, cell: ({ vehicles }) => number(vehicles) },
          {
            id: 'distance',
            title: t('backtest.distance'),
            isNumber: true,
            cell: ({ distanceMm }) => distance(distanceMm),
          },
          { id: 'before', title: t('backtest.before'), isNumber: true, cell: ({ before }) => money(before) },
          { id: 'after', title: t('backtest.after'), isNumber: true, cell: ({ after }) => money(after) },
        ]}
      />
    </>
  )
}
