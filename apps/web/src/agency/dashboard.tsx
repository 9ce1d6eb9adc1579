import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { DashboardView, MonthView } from '#contracts'
import { useGet } from '../shared/api'
import { Chart } from '../shared/chart'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Figure, Figures, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'

type Shown = Exclude<MonthView, { suppressed: true | string }>
const isShown = (month: MonthView): month is Shown => month.suppressed === undefined

/** How the pilot goes, in totals: nothing on this page says where or when anybody drove. */
export function Dashboard() {
  const { t } = useTranslation('agency')
  const { agency } = useMe()
  const board = useGet<DashboardView>(`/v1/agencies/${agency.id}/dashboard`)
  const { moment } = useFormats()
  return (
    <Page title={t('dashboard.title')} lead={t('dashboard.lead')} wide>
      <Load of={board}>
        {(data) => (
          <>
            <Numbers data={data} />
            <Waits data={data} />
            <Months months={data.months} periods={data.periods} />
            <p className="govuk-body rm-muted">
              {data.lastReceivedAt
                ? t('dashboard.last', { moment: moment(data.lastReceivedAt) })
                : t('dashboard.never')}
            </p>
          </>
        )}
      </Load>
    </Page>
  )
}

function Numbers({ data }: { data: DashboardView }) {
  const { t } = useTranslation('agency')
  const { number, distance, money, month, share, minutes } = useFormats()
  const latest = data.months.filter(isShown).at(-1)
  const { accuracy } = data
  const witnessed = accuracy?.witnessed
  return (
    <Figures>
      <Figure
        name={t('dashboard.vehicles')}
        value={number(data.vehicles)}
        note={t('dashboard.vehiclesNote', { accounts: number(data.accounts), devices: number(data.devices) })}
      />
      {latest && (
        <>
          <Figure
            name={t('dashboard.miles', { month: month(latest.month) })}
            value={distance(latest.chargedMm)}
            note={t('dashboard.milesNote', { trips: number(latest.trips), vehicles: number(latest.vehicles) })}
          />
          <Figure
            name={t('dashboard.revenue', { month: month(latest.month) })}
            value={money(latest.amountMicros)}
            note={t('dashboard.revenueNote')}
          />
        </>
      )}
      <Figure
        name={t('dashboard.accuracy')}
        value={
          witnessed
            ? share(1 - witnessed.differenceMm / witnessed.odometerMm)
            : accuracy && accuracy.matchedMm > 0
              ? share(1 - accuracy.inferredMm / accuracy.matchedMm)
              : '-'
        }
        note={
          witnessed
            ? t('dashboard.accuracyOdometer', { trips: number(witnessed.trips) })
            : t(accuracy ? 'dashboard.accuracyMeasured' : 'dashboard.tooFew')
        }
      />
      <Figure
        name={t('dashboard.work')}
        value={number(data.work.pieces - data.work.parked)}
        note={
          data.work.pieces > data.work.parked
            ? t('dashboard.oldest', { minutes: minutes(data.work.oldestS * 1000) })
            : t('dashboard.noWork')
        }
      />
    </Figures>
  )
}

interface Wait {
  readonly what: string
  readonly count: number
  readonly todo: string
  readonly to?: string
}

function Waits({ data }: { data: DashboardView }) {
  const { t } = useTranslation('agency')
  const { role } = useMe()
  const { number, date, month } = useFormats()
  const decides = role === 'agency' || role === 'operator'
  const { disputes, held, work, quarantine, periods } = data
  const waits: Wait[] = [
    {
      what: t('dashboard.disputes'),
      count: disputes.open,
      todo: t('dashboard.disputesTodo', { day: disputes.decideBy ? date(disputes.decideBy) : '' }),
      to: '/agency/disputes',
    },
    { what: t('dashboard.reviews'), count: held.reviews, todo: t('dashboard.reviewsTodo'), to: '/agency/reviews' },
    { what: t('dashboard.unmatched'), count: held.unmatched, todo: t('dashboard.unmatchedTodo') },
    ...periods.map((period) => ({
      what: t('dashboard.stopped', { month: month(period.month) }),
      count: period.stopped,
      todo: t('dashboard.stoppedTodo'),
    })),
    { what: t('dashboard.parked'), count: work.parked, todo: t('dashboard.parkedTodo') },
    ...quarantine.map(({ reason, messages, devices }) => ({
      what: t('dashboard.quarantine', { reason }),
      count: messages,
      todo: t('dashboard.quarantineTodo', { count: devices }),
    })),
  ].filter(({ count }) => count > 0)
  return (
    <Section title={t('dashboard.waits')}>
      {waits.length === 0 ? (
        <Empty title={t('dashboard.allQuiet')} />
      ) : (
        <Table
          caption={t('dashboard.waits')}
          isCaptionHidden
          rows={waits}
          keyOf={({ what }) => what}
          columns={[
            { id: 'what', title: t('dashboard.what'), cell: ({ what }) => what },
            { id: 'count', title: t('dashboard.howMany'), isNumber: true, cell: ({ count }) => number(count) },
            {
              id: 'todo',
              title: t('dashboard.todo'),
              cell: ({ todo, to }) =>
                to && decides ? (
                  <Link className="govuk-link" to={to}>
                    {todo}
                  </Link>
                ) : (
                  todo
                ),
            },
          ]}
        />
      )}
    </Section>
  )
}

function Months({ months, periods }: Pick<DashboardView, 'months' | 'periods'>) {
  const { t } = useTranslation('agency')
  const { number, distance, money, month, unit } = useFormats()
  const shown = months.filter(isShown)
  const option = useMemo(() => {
    const perMm = unit === 'mile' ? 1_609_344 : 1_000_000
    const bar = (name: string, of: (row: Shown) => number) => ({
      name,
      type: 'bar',
      stack: 'all',
      barMaxWidth: 56,
      data: shown.map((row) => Math.round(of(row) / perMm)),
    })
    return {
      legend: { top: 0, right: 0 },
      xAxis: { type: 'category', data: shown.map((row) => month(row.month)) },
      yAxis: { type: 'value' },
      grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
      series: [
        bar(t('dashboard.charged'), ({ chargedMm }) => chargedMm),
        bar(t('dashboard.free'), ({ freeMm }) => freeMm),
      ],
    }
  }, [shown.length, unit, month, t])
  if (months.length === 0) return null
  const stateOf = (name: string) => periods.find((period) => period.month === name)?.state ?? 'none'
  return (
    <Section title={t('dashboard.months')}>
      {shown.length > 1 && <Chart label={t('dashboard.monthsChart')} option={option} />}
      <Table
        caption={t('dashboard.months')}
        isCaptionHidden
        rows={[...months].reverse()}
        keyOf={(row) => row.month}
        columns={[
          { id: 'month', title: t('dashboard.month'), cell: (row) => month(row.month) },
          {
            id: 'state',
            title: t('dashboard.state'),
            cell: (row) => t(`dashboard.periods.${stateOf(row.month) as 'open'}`),
          },
          {
            id: 'trips',
            title: t('dashboard.trips'),
            isNumber: true,
            cell: (row) => (isShown(row) ? number(row.trips) : t('dashboard.hidden')),
          },
          {
            id: 'charged',
            title: t('dashboard.charged'),
            isNumber: true,
            cell: (row) => isShown(row) && distance(row.chargedMm),
          },
          {
            id: 'free',
            title: t('dashboard.free'),
            isNumber: true,
            cell: (row) => isShown(row) && distance(row.freeMm),
          },
          {
            id: 'amount',
            title: t('dashboard.amount'),
            isNumber: true,
            cell: (row) => isShown(row) && money(row.amountMicros),
          },
        ]}
      />
    </Section>
  )
}
