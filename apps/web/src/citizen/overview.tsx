import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { LiveNews, Overview as OverviewDocument } from '#contracts'
import { send, useGet, useLive } from '../shared/api'
import { Chart } from '../shared/chart'
import { Form, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Figure, Figures, Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { type Balance, type StatementRow } from './documents'
import { amountFault } from './faults'
import { Surveys } from './surveys'

export function Overview() {
  const { t } = useTranslation('citizen')
  const overview = useGet<OverviewDocument>('/v1/overview')
  const balance = useGet<Balance>('/v1/balance')
  const statements = useGet<StatementRow[]>('/v1/statements')
  return (
    <Page title={t('overview.title')}>
      <Running />
      <Load of={balance}>
        {(balance) => <Load of={statements}>{(rows) => <Owed balance={balance} statements={rows} />}</Load>}
      </Load>
      <Load of={overview}>{(data) => <Month data={data} reload={overview.reload} />}</Load>
      <Surveys />
    </Page>
  )
}

/** Trips under way, as they come to more. */
function Running() {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const [news, setNews] = useState<LiveNews | null>(null)
  useLive<LiveNews>('/v1/live', setNews)
  return news?.running.map((trip) => (
    <Notice key={trip.vehicle} title={t('running.title', { vehicle: trip.vehicleName })}>
      <span className="rm-figure__value" data-running={trip.amountMicros}>
        {format.money(trip.amountMicros)}
      </span>
      {t('running.what', {
        distance: format.distance(trip.distanceMm),
        road: trip.road || t('running.someRoad'),
        since: format.time(trip.startedAt),
      })}
      <br />
      <span className="rm-muted">{t('running.provisional')}</span>
    </Notice>
  ))
}

function Owed({ balance, statements }: { balance: Balance; statements: readonly StatementRow[] }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const open = balance.statements.filter(({ state }) => state === 'due')
  const owed = open.reduce((sum, bill) => sum + BigInt(bill.outstandingMicros), 0n)
  const due = statements.filter(({ id }) => open.some(({ statement }) => statement === id)).map(({ dueOn }) => dueOn)
  const draft = statements.find(({ state }) => state === 'draft')
  return (
    <>
      <Figures>
        <Figure
          name={t('owed.owe')}
          value={format.money(owed)}
          note={owed > 0n && due.length > 0 ? t('owed.by', { date: format.date(due.sort()[0]) }) : t('owed.nothing')}
        />
        <Figure name={t('owed.since')} value={format.money(balance.drivenMicros)} note={t('owed.sinceNote')} />
        <Figure
          name={t('owed.credit')}
          value={format.money(balance.creditMicros)}
          note={balance.wallet?.isLow ? t('owed.low') : t('owed.creditNote')}
        />
      </Figures>
      <p className="rm-actions">
        {owed > 0n && (
          <Link className="govuk-button" to="/my/pay">
            {t('owed.pay')}
          </Link>
        )}
        {open[0] && (
          <Link className="govuk-link" to={`/my/statements/${open[0].statement}`}>
            {t('owed.read', { month: format.month(open[0].month) })}
          </Link>
        )}
      </p>
      {draft && (
        <Notice title={t('owed.draft', { month: format.month(draft.month) })}>
          <Link className="govuk-link" to={`/my/statements/${draft.id}`}>
            {t('owed.review', { date: format.date(draft.reviewUntil) })}
          </Link>
        </Notice>
      )}
    </>
  )
}

function Month({ data, reload }: { data: OverviewDocument; reload: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const { usual, budget } = data
  return (
    <Section title={t('month.title', { month: format.month(data.month) })} hint={t('month.hint')}>
      {budget && budget.state !== 'within' && (
        <Notice kind="warning" title={t(`budget.is.${budget.state}`)}>
          {t('budget.of', { amount: format.money(Number(budget.amount) * 1e6) })}
        </Notice>
      )}
      <Figures>
        <Figure
          name={t('month.soFar')}
          value={format.money(data.soFarMicros)}
          note={t('month.driven', { count: data.trips, distance: format.distance(data.distanceMm) })}
        />
        <Figure
          name={t('month.usual')}
          value={usual ? format.money(usual.byNowMicros) : '–'}
          note={
            usual ? t('month.usualNote', { months: usual.months.map(format.month).join(', ') }) : t('month.usualNone')
          }
        />
        <Figure
          name={t('month.projected')}
          value={format.money(data.projectedMicros)}
          note={t('month.projectedNote')}
        />
      </Figures>
      <Days month={data.month} days={data.days} before={data.before} />
      <BudgetForm budget={budget} saved={reload} />
    </Section>
  )
}

/** Day by day, added up, beside the month before. */
function Days({ month, days, before }: Pick<OverviewDocument, 'month' | 'days' | 'before'>) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const option = useMemo(() => {
    const added = (list: OverviewDocument['days']) => {
      let sum = 0
      const byDay = new Map(list.map(({ day, amountMicros }) => [Number(day.slice(8)), Number(amountMicros) / 1e6]))
      const last = Math.max(0, ...byDay.keys())
      return Array.from({ length: 31 }, (_, i) => {
        sum += byDay.get(i + 1) ?? 0
        return i + 1 > last ? null : Math.round(sum * 100) / 100
      })
    }
    const line = { type: 'line', showSymbol: false, lineStyle: { width: 3 } }
    return {
      legend: { top: 0 },
      grid: { left: 8, right: 8, top: 60, bottom: 8, containLabel: true },
      xAxis: { type: 'category', data: Array.from({ length: 31 }, (_, i) => i + 1), boundaryGap: false },
      yAxis: { type: 'value', name: format.currency },
      series: [
        ...(before
          ? [
              {
                ...line,
                name: format.month(before.month),
                data: added(before.days),
                lineStyle: { width: 2, type: 'dashed' },
                itemStyle: { opacity: 0.9 },
              },
            ]
          : []),
        { ...line, name: format.month(month), data: added(days), areaStyle: { opacity: 0.12 } },
      ],
    }
  }, [month, days, before, format])
  const shown = days.length > 0 ? { month, days } : before
  if (!shown) return <Empty title={t('month.nothing')}>{t('month.nothingNote')}</Empty>
  return (
    <div className="rm-card">
      <h3 className="govuk-heading-s">{t('month.byDay')}</h3>
      <Chart label={t('month.chart')} option={option} />
      <details className="govuk-details">
        <summary className="govuk-details__summary">
          <span className="govuk-details__summary-text">
            {t('month.asTable', { month: format.month(shown.month) })}
          </span>
        </summary>
        <Table
          caption={format.month(shown.month)}
          rows={shown.days}
          keyOf={({ day }) => day}
          columns={[
            { id: 'day', title: t('day.day'), cell: ({ day }) => format.dayShort(day) },
            { id: 'trips', title: t('day.trips'), isNumber: true, cell: ({ trips }) => format.number(trips) },
            {
              id: 'mm',
              title: t('drive.distance'),
              isNumber: true,
              cell: ({ distanceMm }) => format.distance(distanceMm),
            },
            {
              id: 'amount',
              title: t('drive.amount'),
              isNumber: true,
              cell: ({ amountMicros }) => format.money(amountMicros),
            },
          ]}
        />
      </details>
    </div>
  )
}

function BudgetForm({ budget, saved }: { budget: OverviewDocument['budget']; saved: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const [isSaved, setSaved] = useState(false)
  const form = useForm(
    { amount: budget?.amount ?? '', alertPercent: String(budget?.alertPercent ?? 80) },
    {
      check: ({ amount, alertPercent }) => ({
        ...amountFault('amount', amount, t('budget.amountFault')),
        ...(/^\d{2,3}$/.test(alertPercent) && Number(alertPercent) >= 10 && Number(alertPercent) <= 100
          ? {}
          : { alertPercent: t('budget.percentFault') }),
      }),
      send: async ({ amount, alertPercent }) => {
        await send('PUT', '/v1/budget', { amount: amount.replace(',', '.'), alertPercent: Number(alertPercent) })
        setSaved(true)
        saved()
      },
    },
  )
  return (
    <details className="govuk-details" open={isSaved || undefined}>
      <summary className="govuk-details__summary">
        <span className="govuk-details__summary-text">{budget ? t('budget.change') : t('budget.set')}</span>
      </summary>
      <div className="govuk-details__text">
        {isSaved && <Notice kind="success" title={t('budget.saved')} />}
        <Form form={form} submit={t('budget.save')}>
          <TextField
            {...form.bind('amount')}
            label={t('budget.amount')}
            hint={t('budget.amountHint')}
            prefix={format.currency}
            width={10}
            inputMode="decimal"
          />
          <TextField
            {...form.bind('alertPercent')}
            label={t('budget.percent')}
            suffix="%"
            width={5}
            inputMode="numeric"
          />
        </Form>
        {budget && (
          <button
            type="button"
            className="govuk-button govuk-button--secondary"
            onClick={() => void send('DELETE', '/v1/budget').then(saved)}
          >
            {t('budget.remove')}
          </button>
        )}
      </div>
    </details>
  )
}
