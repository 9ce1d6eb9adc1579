import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import type { TripView } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { Figure, Figures, Notice, Page, Section } from '../shared/page'
import { Load } from '../shared/states'
import { Table } from '../shared/table'
import { useIsDark } from '../shared/theme'
import { DrawnDrive, useRuleAndZones, usePriceWords } from './drawn-drive'
import { layerOf, pointFeature } from './prices'

/** `GET /v1/trips/{trip}/fixes` */
interface Fixes {
  readonly counts: Readonly<Record<string, number>>
  readonly fixes: readonly (readonly [number, number, number, string])[]
}

/** A trip: what it cost, on which roads, why, and what became of each position that was sent. */
export function TripPage() {
  const { trip } = useParams() as { trip: string }
  const view = useGet<TripView>(`/v1/trips/${encodeURIComponent(trip)}`)
  return (
    <Load of={view} isPart={false}>
      {(data) => <Shown view={data} />}
    </Load>
  )
}

function Shown({ view }: { view: TripView }) {
  const { t } = useTranslation(['citizen', 'shared'])
  const format = useFormats()
  const priceWords = usePriceWords()
  const ruleAndZones = useRuleAndZones()
  const fixes = useGet<Fixes>(view.pieces ? `/v1/trips/${encodeURIComponent(view.trip)}/fixes` : null)
  const isDark = useIsDark()
  const { state, statement } = view
  const left = useMemo(
    () =>
      fixes.state !== 'ready'
        ? []
        : fixes.data.fixes
            .filter(([, , , fate]) => fate !== 'matched')
            .map(([, lat, lon]) => pointFeature(lon, lat, { colour: isDark ? '#ff9d92' : '#b3261e', radius: 4 })),
    [fixes, isDark],
  )
  return (
    <Page
      wide
      title={t('trip.title', { day: format.dayOf(view.startedAt), time: format.time(view.startedAt) })}
      back={
        statement
          ? { to: `/my/statements/${statement}`, label: t('day.back', { month: format.month(view.month) }) }
          : { to: `/my/trips?month=${view.month}`, label: t('trip.back') }
      }
    >
      <Figures>
        <Figure
          name={t('trip.cost')}
          value={format.money(view.amountMicros)}
          note={statement ? t('trip.final') : t('trip.soFar')}
        />
        <Figure
          name={t('drive.distance')}
          value={format.distance(view.distanceMm)}
          note={t('trip.took', { minutes: format.minutes(view.endedAt - view.startedAt), vehicle: view.vehicleName })}
        />
        <Figure
          name={t('statement.estimated')}
          value={format.distance(view.inferredMm)}
          note={t('statement.estimatedNote')}
        />
      </Figures>
      {state === 'review' && (
        <Notice kind="warning" title={t('trip.review')}>
          {t('trip.reviewNote')}
        </Notice>
      )}
      <Section title={t('trip.lines')} hint={t('trip.linesHint')}>
        <Table
          caption={t('trip.lines')}
          isCaptionHidden
          rows={view.lines}
          keyOf={(_, i) => i}
          columns={[
            { id: 'rule', title: t('drive.why'), cell: ({ ruleName, zones }) => ruleAndZones(ruleName, zones) },
            { id: 'class', title: t('trip.roadClass'), cell: ({ roadClass }) => t(`shared:roadClass.${roadClass}`) },
            {
              id: 'mm',
              title: t('drive.distance'),
              isNumber: true,
              cell: ({ distanceMm }) => format.distance(distanceMm),
            },
            {
              id: 'price',
              title: t('drive.price'),
              cell: (line) => (line.count === null ? priceWords(line) : `${line.count} × ${priceWords(line)}`),
            },
            {
              id: 'amount',
              title: t('drive.amount'),
              isNumber: true,
              cell: ({ amountMicros }) => format.exact(amountMicros),
            },
          ]}
          foot={[t('trips.sum'), '', format.distance(view.distanceMm), '', format.exact(view.amountMicros)]}
        />
        {statement && (
          <Link className="govuk-button govuk-button--secondary" to={`/my/trips/${view.trip}/question`}>
            {t('trip.question')}
          </Link>
        )}
      </Section>
      <Section title={t('trip.way')} hint={t('drive.hint')}>
        {view.pieces === null ? (
          <Notice>{t('trip.destroyed')}</Notice>
        ) : view.pieces.length === 0 ? (
          <p className="govuk-body">{t('trip.noRoad')}</p>
        ) : (
          <DrawnDrive pieces={view.pieces} label={t('trip.way')} more={[layerOf('left-out', 'point', left)]} />
        )}
      </Section>
      {view.pieces !== null && (
        <Section title={t('fixes.title')} hint={t('fixes.hint')}>
          <Load of={fixes}>{({ counts }) => <Fates counts={counts} />}</Load>
        </Section>
      )}
    </Page>
  )
}

/** How many positions had which fate, and what that means. */
function Fates({ counts }: { counts: Fixes['counts'] }) {
  const { t, i18n } = useTranslation('citizen')
  const format = useFormats()
  // The matcher may learn to name fates that this page doesn't know yet.
  const words = (fate: string) => (i18n.exists(`citizen:fixes.is.${fate}`) ? t(`fixes.is.${fate as 'matched'}`) : fate)
  return (
    <Table
      caption={t('fixes.title')}
      isCaptionHidden
      rows={Object.entries(counts).sort((a, b) => b[1] - a[1])}
      keyOf={([fate]) => fate}
      columns={[
        { id: 'fate', title: t('fixes.fate'), cell: ([fate]) => words(fate) },
        { id: 'count', title: t('fixes.count'), isNumber: true, cell: ([, count]) => format.number(count) },
      ]}
    />
  )
}
