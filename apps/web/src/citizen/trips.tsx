import { useTranslation } from 'react-i18next'
import { Link, useSearchParams } from 'react-router'
import type { TripSummary } from '#contracts'
import { useGet } from '../shared/api'
import { dayOf, useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Page } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { sumMicros } from './documents'

/** The month before or after one, `2026-10`. */
const beside = (month: string, by: number): string => {
  const [year, number] = month.split('-').map(Number)
  const months = year * 12 + number - 1 + by
  return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, '0')}`
}

/** Every trip of a month, also those that are on no statement yet. */
export function Trips() {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const { tariff } = useMe()
  const [search] = useSearchParams()
  const current = dayOf(Date.now(), tariff?.timeZone ?? 'UTC').slice(0, 7)
  const asked = search.get('month')
  const month = asked && /^\d{4}-(0[1-9]|1[0-2])$/.test(asked) ? asked : current
  const trips = useGet<TripSummary[]>(`/v1/trips?month=${month}`)
  return (
    <Page title={t('trips.title')} lead={t('trips.lead')}>
      <nav className="rm-actions" aria-label={t('trips.months')}>
        <Link className="govuk-link" to={`?month=${beside(month, -1)}`}>
          ← {format.month(beside(month, -1))}
        </Link>
        <strong>{format.month(month)}</strong>
        {month < current && (
          <Link className="govuk-link" to={`?month=${beside(month, 1)}`}>
            {format.month(beside(month, 1))} →
          </Link>
        )}
      </nav>
      <Load of={trips}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={t('trips.none')}>{t('trips.noneNote')}</Empty>
          ) : (
            <Table
              caption={t('trips.caption', { count: rows.length, month: format.month(month) })}
              rows={rows}
              keyOf={({ trip }) => trip}
              columns={[
                {
                  id: 'trip',
                  title: t('day.trip'),
                  cell: ({ trip, startedAt }) => (
                    <Link className="govuk-link" to={`/my/trips/${trip}`}>
                      {format.moment(startedAt)}
                    </Link>
                  ),
                },
                { id: 'vehicle', title: t('vehicles.vehicle'), cell: ({ vehicleName }) => vehicleName },
                {
                  id: 'mm',
                  title: t('drive.distance'),
                  isNumber: true,
                  cell: ({ distanceMm }) => format.distance(distanceMm),
                },
                {
                  id: 'state',
                  title: t('statements.state'),
                  cell: ({ state, statement }) =>
                    statement ? t('trips.onStatement') : state === 'review' ? t('trips.held') : t('trips.notYet'),
                },
                {
                  id: 'amount',
                  title: t('drive.amount'),
                  isNumber: true,
                  cell: ({ amountMicros }) => format.money(amountMicros),
                },
              ]}
              foot={[
                t('trips.sum'),
                '',
                format.distance(rows.reduce((sum, { distanceMm }) => sum + distanceMm, 0)),
                '',
                format.money(sumMicros(rows.map(({ amountMicros }) => amountMicros))),
              ]}
            />
          )
        }
      </Load>
    </Page>
  )
}
