import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { parseMicros } from '#kernel'
import { useFormats } from '../shared/format'
import { Section } from '../shared/page'
import { Table } from '../shared/table'
import { type StatementDocument } from './documents'
import { StatementCheck } from './statement-check'

const QUESTIONED = /^dispute about (not-driven|wrong-road|private-road|wrong-vehicle|wrong-price|other):/

/** The rest of what a statement says: late trips, corrections, the odometer, what it would have cost otherwise, and how to check it. */
export function StatementExtras({ statement, id }: { statement: StatementDocument; id: string }) {
  const { t, i18n } = useTranslation('citizen')
  const format = useFormats()
  const late = statement.journeys.filter(({ month }) => month !== statement.month)
  const { mileage = [], corrections = [], comparisons = [], rateChanges = [] } = statement
  const drive = {
    id: 'trip',
    title: t('day.trip'),
    cell: ({ trip, startedAt }: { trip: string; startedAt: unknown }) => (
      <Link className="govuk-link" to={`/my/trips/${trip}`}>
        {format.moment(Number(startedAt))}
      </Link>
    ),
  }
  const amount = (title: string) => ({
    id: 'amount',
    title,
    isNumber: true,
    cell: (row: { amount: unknown }) => format.money(String(row.amount)),
  })
  const reckoned = ({ amount: each, per, economy }: NonNullable<(typeof comparisons)[number]['terms']>) =>
    t(`extras.reckonedBy.${per}`, { price: format.price(parseMicros(each)!), economy: economy ?? '' })
  // As it is sealed: `dispute about wrong-road: not-driven`.
  const questioned = (because: string) => {
    const reason = QUESTIONED.exec(because)?.[1]
    return reason ? t(`dispute.is.${reason as 'other'}`) : because
  }
  return (
    <>
      {late.length > 0 && (
        <Section title={t('extras.late')} hint={t('extras.lateHint')}>
          <Table
            caption={t('extras.late')}
            isCaptionHidden
            rows={late}
            keyOf={({ trip }) => trip}
            columns={[
              drive,
              { id: 'month', title: t('statements.month'), cell: ({ month }) => format.month(month) },
              amount(t('drive.amount')),
            ]}
          />
        </Section>
      )}
      {corrections.length > 0 && (
        <Section title={t('extras.corrections')} hint={t('extras.correctionsHint')}>
          <Table
            caption={t('extras.corrections')}
            isCaptionHidden
            rows={corrections}
            keyOf={({ trip, revision }) => `${trip} ${revision}`}
            columns={[
              drive,
              { id: 'why', title: t('drive.why'), cell: ({ because }) => questioned(because) },
              amount(t('extras.difference')),
            ]}
          />
        </Section>
      )}
      {mileage.length > 0 && (
        <Section title={t('extras.odometer')} hint={t('extras.odometerHint')}>
          <Table
            caption={t('extras.odometer')}
            isCaptionHidden
            rows={mileage}
            keyOf={({ vehicle, month }) => `${vehicle} ${month}`}
            columns={[
              {
                id: 'vehicle',
                title: t('vehicles.vehicle'),
                cell: ({ vehicle }) => statement.vehicles.find((one) => one.vehicle === vehicle)?.name ?? vehicle,
              },
              {
                id: 'open',
                title: t('extras.opening'),
                isNumber: true,
                cell: ({ openingMm }) => (openingMm === null ? '–' : format.distance(openingMm)),
              },
              {
                id: 'matched',
                title: t('extras.matched'),
                isNumber: true,
                cell: ({ matchedMm }) => format.distance(Number(matchedMm)),
              },
              {
                id: 'other',
                title: t('extras.other'),
                isNumber: true,
                cell: ({ inferredMm, offNetworkMm, unreconciledMm }) =>
                  format.distance(Number(inferredMm) + Number(offNetworkMm) + Number(unreconciledMm)),
              },
              {
                id: 'close',
                title: t('extras.closing'),
                isNumber: true,
                cell: ({ closingMm }) => (closingMm === null ? '–' : format.distance(closingMm)),
              },
            ]}
          />
        </Section>
      )}
      {comparisons.length > 0 && (
        <Section title={t('extras.comparisons')} hint={t('extras.comparisonsHint')}>
          <Table
            caption={t('extras.comparisons')}
            isCaptionHidden
            rows={comparisons}
            keyOf={({ name }) => name}
            columns={[
              { id: 'name', title: t('extras.instead'), cell: ({ name }) => name },
              {
                id: 'because',
                title: t('extras.reckoned'),
                cell: ({ because, terms }) => (terms ? reckoned(terms) : because),
              },
              amount(t('drive.amount')),
            ]}
          />
        </Section>
      )}
      {rateChanges.map(({ from, es, ...en }) => {
        const { was, now } = i18n.language === 'es' ? (es ?? en) : en
        return (
          <Section key={from} title={t('extras.rates', { date: format.date(from) })}>
            <div className="rm-columns">
              <div className="rm-card">
                <h3 className="govuk-heading-s">{t('extras.was')}</h3>
                <ul className="govuk-list govuk-list--bullet">
                  {was.map((text) => (
                    <li key={text}>{text}</li>
                  ))}
                </ul>
              </div>
              <div className="rm-card">
                <h3 className="govuk-heading-s">{t('extras.now')}</h3>
                <ul className="govuk-list govuk-list--bullet">
                  {now.map((text) => (
                    <li key={text}>{text}</li>
                  ))}
                </ul>
              </div>
            </div>
          </Section>
        )
      })}
      <StatementCheck id={id} month={statement.month} retentionDays={statement.retentionDays} />
    </>
  )
}
