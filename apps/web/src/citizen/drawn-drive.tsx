import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { RoadPiece } from '#contracts'
import { useFormats } from '../shared/format'
import { Legend, type MapLayer, RoadMap } from '../shared/map'
import { Table } from '../shared/table'
import { useIsDark } from '../shared/theme'
import { useRuleWords } from './ours'
import { layerOf, lineFeature, pointFeature, priceColours } from './prices'

/** A price as one says it: `SEK 6.00 per mile`, or why nothing is charged. */
export function usePriceWords() {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const said = useRuleWords()
  return ({ rate, freeReason }: Pick<RoadPiece, 'rate' | 'freeReason'>): string =>
    rate
      ? t('price.rate', { amount: format.price(rate.micros), per: t(`price.per.${rate.per as 'mile'}`) })
      : t('price.free', { reason: said(freeReason ?? '') })
}

/** A rule with the zones that it was in; a zone that the rule is named after isn't said twice. */
export function useRuleAndZones(): (rule: string, zones?: readonly string[]) => string {
  const said = useRuleWords()
  return (rule, zones = []) => [said(rule), ...zones.filter((zone) => !rule.includes(zone))].join(', ')
}

/** Why a part has the price of another road. */
const PRICED_BY = { road: [], rival: ['drive.pricedByRival'], ends: ['drive.pricedByEnds'] } as const

/** A drive on the map, each part in the colour of its price, and the same as a table. */
export function DrawnDrive({
  pieces,
  label,
  more = [],
}: {
  pieces: readonly RoadPiece[]
  label: string
  more?: readonly MapLayer[]
}) {
  const { t } = useTranslation(['citizen', 'shared'])
  const format = useFormats()
  const isDark = useIsDark()
  const priceWords = usePriceWords()
  const ruleAndZones = useRuleAndZones()
  const { layers, legend } = useMemo(() => {
    const { of, legend } = priceColours(pieces, isDark)
    const ends = [pieces[0]?.line[0], pieces.at(-1)?.line.at(-1)].flatMap((point, i) =>
      point ? [pointFeature(point[0], point[1], { colour: i === 0 ? '#0b6b3a' : '#b3261e', radius: 7 })] : [],
    )
    return {
      legend,
      layers: [
        layerOf(
          'drive',
          'line',
          pieces.map((piece) => lineFeature(piece.line, { colour: of(piece), width: 5 })),
        ),
        layerOf('ends', 'point', ends),
      ],
    }
  }, [pieces, isDark])
  return (
    <>
      <RoadMap label={label} layers={[...layers, ...more]} />
      <Legend
        entries={legend.map(({ colour, piece }) => ({
          colour,
          label: `${ruleAndZones(piece.ruleName)}: ${priceWords(piece)}`,
        }))}
      />
      <Table
        caption={t('drive.caption')}
        rows={pieces}
        keyOf={(_, i) => i}
        columns={[
          {
            id: 'road',
            title: t('drive.road'),
            cell: ({ road, roadClass }) =>
              road || t('drive.unnamed', { roadClass: t(`shared:roadClass.${roadClass}`) }),
          },
          {
            id: 'at',
            title: t('drive.at'),
            cell: ({ enteredAt }) => <span className="rm-nowrap">{format.time(enteredAt)}</span>,
          },
          {
            id: 'mm',
            title: t('drive.distance'),
            isNumber: true,
            cell: ({ distanceMm, inferredMm }) =>
              inferredMm > 0 ? `${format.distance(distanceMm)} (${t('drive.estimated')})` : format.distance(distanceMm),
          },
          {
            id: 'why',
            title: t('drive.why'),
            cell: ({ ruleName, zones, pricedBy }) =>
              ruleAndZones(ruleName, zones) + PRICED_BY[pricedBy].map((reason) => ` (${t(reason)})`).join(''),
          },
          { id: 'price', title: t('drive.price'), cell: priceWords },
          {
            id: 'amount',
            title: t('drive.amount'),
            isNumber: true,
            cell: ({ amountMicros }) => format.exact(amountMicros),
          },
        ]}
      />
    </>
  )
}
