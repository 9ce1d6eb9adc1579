import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import type { RoadUse } from '#contracts'
import { useGet } from '../shared/api'
import { dayOf, useFormats } from '../shared/format'
import { Legend, RoadMap } from '../shared/map'
import { Figure, Figures, Notice, Page, Section } from '../shared/page'
import { Load } from '../shared/states'
import { Table } from '../shared/table'
import { useIsDark } from '../shared/theme'
import { type StatementDocument, sumMicros } from './documents'
import { usePriceWords } from './drawn-drive'
import { layerOf, lineFeature, priceColours } from './prices'
import { StatementExtras } from './statement-extras'
import { useRuleWords } from './ours'

export function StatementPage() {
  const { t } = useTranslation('citizen')
  const { id } = useParams() as { id: string }
  const statement = useGet<StatementDocument>(`/v1/statements/${id}.json`)
  return (
    <Load of={statement} isPart={false}>
      {(data) => <Shown id={id} statement={data} back={t('statement.back')} />}
    </Load>
  )
}

function Shown({ id, statement, back }: { id: string; statement: StatementDocument; back: string }) {
  const { t, i18n } = useTranslation('citizen')
  const format = useFormats()
  const { totals } = statement
  const file = (form: string) => `/v1/statements/${id}.${form}`
  return (
    <Page
      wide
      title={t('statement.title', { month: format.month(statement.month) })}
      back={{ to: '/my/statements', label: back }}
    >
      <Figures>
        <Figure
          name={t('statement.due')}
          value={format.money(totals.due)}
          note={t('owed.by', { date: format.date(statement.dueOn) })}
        />
        <Figure
          name={t('statement.driven')}
          value={format.distance(Number(totals.chargedMm) + Number(totals.freeMm))}
          note={t('statement.trips', { count: totals.trips })}
        />
        <Figure
          name={t('statement.free')}
          value={format.distance(Number(totals.freeMm))}
          note={t('statement.freeNote')}
        />
        <Figure
          name={t('statement.estimated')}
          value={format.distance(Number(totals.inferredMm))}
          note={t('statement.estimatedNote')}
        />
      </Figures>
      <p className="rm-actions">
        <Link className="govuk-button" to="/my/pay">
          {t('owed.pay')}
        </Link>
        <a className="govuk-link" href={`${file('pdf')}?lang=${i18n.language}`}>
          PDF
        </a>
        <a className="govuk-link" href={file('csv')}>
          CSV
        </a>
        <a className="govuk-link" href={file('json')} download>
          JSON
        </a>
        <a className="govuk-link" href={`${file('html')}?lang=${i18n.language}`}>
          {t('statement.plain')}
        </a>
      </p>
      <MadeUp statement={statement} />
      <Days id={id} statement={statement} />
      <RoadsOfMonth month={statement.month} />
      <StatementExtras statement={statement} id={id} />
    </Page>
  )
}

/** What the total is made of, rule by rule, down to the last rounding. */
function MadeUp({ statement }: { statement: StatementDocument }) {
  const { t } = useTranslation('citizen')
  const said = useRuleWords()
  const format = useFormats()
  const rows = useMemo(() => {
    const byRule = new Map<string, { name: string; mm: number; amount: bigint }>()
    for (const { ruleName, freeReason, distanceMm, amount } of statement.journeys.flatMap(({ lines }) => lines)) {
      const name = freeReason ? `${said(ruleName)} (${said(freeReason)})` : said(ruleName)
      const row = byRule.get(name) ?? { name, mm: 0, amount: 0n }
      byRule.set(name, { name, mm: row.mm + Number(distanceMm), amount: row.amount + BigInt(amount) })
    }
    const credits = new Map<string, bigint>()
    for (const { capName, amount } of statement.capCredits)
      credits.set(capName, (credits.get(capName) ?? 0n) + BigInt(amount))
    const odometer = sumMicros(
      (statement.mileage ?? []).flatMap(({ lines }) => lines.map(({ amount }) => String(amount))),
    )
    const corrected = sumMicros((statement.corrections ?? []).map(({ amount }) => String(amount)))
    const sums = [
      ...[...byRule.values()].sort((a, b) => Number(b.amount - a.amount)),
      ...[...credits].map(([name, amount]) => ({ name, mm: null, amount })),
      ...(odometer === 0n ? [] : [{ name: t('statement.byOdometer'), mm: null, amount: odometer }]),
      ...(corrected === 0n ? [] : [{ name: t('statement.corrections'), mm: null, amount: corrected }]),
    ]
    const rounding = BigInt(statement.totals.due) - sums.reduce((sum, { amount }) => sum + amount, 0n)
    return rounding === 0n ? sums : [...sums, { name: t('statement.rounding'), mm: null, amount: rounding }]
  }, [statement, t, said])
  return (
    <Section title={t('statement.madeUp')} hint={t('statement.madeUpHint')}>
      <Table
        caption={t('statement.madeUp')}
        isCaptionHidden
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { id: 'rule', title: t('drive.why'), cell: ({ name }) => name },
          {
            id: 'mm',
            title: t('drive.distance'),
            isNumber: true,
            cell: ({ mm }) => (mm === null ? '' : format.distance(mm)),
          },
          { id: 'amount', title: t('drive.amount'), isNumber: true, cell: ({ amount }) => format.exact(amount) },
        ]}
        foot={[t('statement.due'), '', format.money(statement.totals.due)]}
      />
    </Section>
  )
}

function Days({ id, statement }: { id: string; statement: StatementDocument }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const days = useMemo(() => {
    const byDay = new Map<string, { day: string; trips: number; mm: number; amount: bigint }>()
    for (const { startedAt, lines, amount } of statement.journeys) {
      const day = dayOf(Number(startedAt), statement.timeZone)
      const row = byDay.get(day) ?? { day, trips: 0, mm: 0, amount: 0n }
      byDay.set(day, {
        day,
        trips: row.trips + 1,
        mm: row.mm + lines.reduce((sum, { distanceMm }) => sum + Number(distanceMm), 0),
        amount: row.amount + BigInt(amount),
      })
    }
    return [...byDay.values()].sort((a, b) => (a.day < b.day ? -1 : 1))
  }, [statement])
  const most = days.reduce((max, { amount }) => (amount > max ? amount : max), 1n)
  return (
    <Section title={t('statement.days')} hint={t('statement.daysHint')}>
      <Table
        caption={t('statement.days')}
        isCaptionHidden
        rows={days}
        keyOf={({ day }) => day}
        columns={[
          {
            id: 'day',
            title: t('day.day'),
            cell: ({ day }) => (
              <Link className="govuk-link" to={`/my/statements/${id}/${day}`}>
                {format.dayShort(day)}
              </Link>
            ),
          },
          { id: 'trips', title: t('day.trips'), isNumber: true, cell: ({ trips }) => format.number(trips) },
          { id: 'mm', title: t('drive.distance'), isNumber: true, cell: ({ mm }) => format.distance(mm) },
          { id: 'amount', title: t('drive.amount'), isNumber: true, cell: ({ amount }) => format.money(amount) },
          {
            id: 'bar',
            title: t('statement.share'),
            cell: ({ amount }) => (
              <span className="rm-bar" aria-hidden="true">
                <span style={{ width: `${Number((amount * 100n) / most)}%` }} />
              </span>
            ),
          },
        ]}
      />
    </Section>
  )
}

/** Where the month was driven, and which roads cost most. */
function RoadsOfMonth({ month }: { month: string }) {
  const { t } = useTranslation('citizen')
  const roads = useGet<{ roads: RoadUse[]; trips: number; destroyed: number }>(`/v1/roads?month=${month}`)
  return (
    <Section title={t('roads.title')} hint={t('roads.hint')}>
      <Load of={roads}>
        {({ roads, destroyed }) => (
          <>
            {destroyed > 0 && <Notice>{t('roads.destroyed', { count: destroyed })}</Notice>}
            {roads.length > 0 && <DrawnRoads roads={roads} />}
          </>
        )}
      </Load>
    </Section>
  )
}

const ROADS_SHOWN = 20

function DrawnRoads({ roads }: { roads: readonly RoadUse[] }) {
  const said = useRuleWords()
  const { t } = useTranslation(['citizen', 'shared'])
  const format = useFormats()
  const isDark = useIsDark()
  const priceWords = usePriceWords()
  const { layers, legend } = useMemo(() => {
    const { of, legend } = priceColours(roads, isDark)
    const features = roads.flatMap((use) =>
      use.lines.map((line) => lineFeature(line, { colour: of(use), width: Math.min(7, 2 + use.trips / 4) })),
    )
    return { legend, layers: [layerOf('roads', 'line', features)] }
  }, [roads, isDark])
  return (
    <>
      <RoadMap label={t('roads.title')} layers={layers} />
      <Legend
        entries={legend.map(({ colour, piece }) => ({
          colour,
          label: `${said(piece.ruleName)}: ${priceWords(piece)}`,
        }))}
      />
      <Table
        caption={t('roads.caption', { count: Math.min(ROADS_SHOWN, roads.length), of: roads.length })}
        rows={roads.slice(0, ROADS_SHOWN)}
        keyOf={(_, i) => i}
        columns={[
          {
            id: 'road',
            title: t('drive.road'),
            cell: ({ road, roadClass }) =>
              road || t('drive.unnamed', { roadClass: t(`shared:roadClass.${roadClass}`) }),
          },
          { id: 'times', title: t('roads.times'), isNumber: true, cell: ({ trips }) => format.number(trips) },
          {
            id: 'mm',
            title: t('drive.distance'),
            isNumber: true,
            cell: ({ distanceMm }) => format.distance(distanceMm),
          },
          { id: 'why', title: t('drive.why'), cell: ({ ruleName }) => said(ruleName) },
          { id: 'price', title: t('drive.price'), cell: priceWords },
          {
            id: 'amount',
            title: t('drive.amount'),
            isNumber: true,
            cell: ({ amountMicros }) => format.money(amountMicros),
          },
        ]}
      />
    </>
  )
}
