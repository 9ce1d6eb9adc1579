import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import type { TripView } from '#contracts'
import { get, Problem, useGet } from '../shared/api'
import { dayOf, useFormats } from '../shared/format'
import { Page, Section } from '../shared/page'
import { Failed, Load, Loading } from '../shared/states'
import { Table } from '../shared/table'
import { type JourneyDocument, type StatementDocument, sumMicros } from './documents'
import { DrawnDrive } from './drawn-drive'
import { useRuleWords } from './ours'

/** A day of a statement: its trips on one map, and in a table. */
export function StatementDay() {
  const { t } = useTranslation('citizen')
  const { id, day } = useParams() as { id: string; day: string }
  const format = useFormats()
  const statement = useGet<StatementDocument>(`/v1/statements/${id}.json`)
  return (
    <Load of={statement} isPart={false}>
      {({ journeys, timeZone, month }) => {
        const ofDay = journeys.filter(({ startedAt }) => dayOf(Number(startedAt), timeZone) === day)
        if (ofDay.length === 0) return <Failed problem={new Problem(404, '', '')} />
        return (
          <Page
            wide
            title={format.day(day)}
            lead={t('day.lead', {
              count: ofDay.length,
              amount: format.money(sumMicros(ofDay.map(({ amount }) => String(amount)))),
            })}
            back={{ to: `/my/statements/${id}`, label: t('day.back', { month: format.month(month) }) }}
          >
            <Journeys journeys={ofDay} />
            <Drawn trips={ofDay.map(({ trip }) => trip)} />
          </Page>
        )
      }}
    </Load>
  )
}

function Journeys({ journeys }: { journeys: readonly JourneyDocument[] }) {
  const { t } = useTranslation('citizen')
  const said = useRuleWords()
  const format = useFormats()
  return (
    <Table
      caption={t('day.trips')}
      rows={journeys}
      keyOf={({ trip }) => trip}
      columns={[
        {
          id: 'trip',
          title: t('day.trip'),
          cell: ({ trip, startedAt, endedAt }) => (
            <Link className="govuk-link" to={`/my/trips/${trip}`}>
              {format.time(Number(startedAt))}–{format.time(Number(endedAt))}
            </Link>
          ),
        },
        {
          id: 'mm',
          title: t('drive.distance'),
          isNumber: true,
          cell: ({ lines }) => format.distance(lines.reduce((sum, { distanceMm }) => sum + Number(distanceMm), 0)),
        },
        {
          id: 'why',
          title: t('drive.why'),
          cell: ({ lines }) => [...new Set(lines.map(({ ruleName }) => said(ruleName)))].join('; '),
        },
        { id: 'amount', title: t('drive.amount'), isNumber: true, cell: ({ amount }) => format.money(String(amount)) },
      ]}
    />
  )
}

/** Trips of a day that are drawn. */
const DRAWN_MAX = 24

function Drawn({ trips }: { trips: readonly string[] }) {
  const { t } = useTranslation('citizen')
  const [views, setViews] = useState<readonly TripView[] | Problem | null>(null)
  const key = trips.slice(0, DRAWN_MAX).join()
  useEffect(() => {
    const stop = new AbortController()
    Promise.all(key.split(',').map((trip) => get<TripView>(`/v1/trips/${trip}`, stop.signal))).then(
      setViews,
      (error: unknown) => error instanceof Problem && setViews(error),
    )
    return () => stop.abort()
  }, [key])
  if (views === null) return <Loading />
  if (views instanceof Problem) return <Failed problem={views} isPart />
  const pieces = views.flatMap((view) => view.pieces ?? [])
  return (
    <Section title={t('day.roads')} hint={t('drive.hint')}>
      {pieces.length === 0 ? (
        <p className="govuk-body">{t('trip.destroyed')}</p>
      ) : (
        <DrawnDrive pieces={pieces} label={t('day.roads')} />
      )}
    </Section>
  )
}
