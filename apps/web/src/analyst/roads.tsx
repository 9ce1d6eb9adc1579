import { type Map as MapLibre } from 'maplibre-gl'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DrivenRoadView, MapView, TrafficView } from '#contracts'
import { useGet } from '../shared/api'
import { SelectField } from '../shared/form'
import { useFormats } from '../shared/format'
import { Legend, RoadMap } from '../shared/map'
import { useMe } from '../shared/me'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'

/** From few to many; told apart without seeing red and green, on a light map and on a dark one. */
const HEAT = ['#5e4fa2', '#3f8fc0', '#41a985', '#e8a317', '#d1492e'] as const
const STEPS = [40, 80, 160, 320]
const NO_LAYERS: never[] = []

/** The heat map of charged miles: what at least ten vehicles drove on, month by month. */
export default function Roads() {
  const { t } = useTranslation('analyst')
  const { agency } = useMe()
  const months = useGet<readonly TrafficView[]>(`/v1/agencies/${agency.id}/traffic`)
  return (
    <Page title={t('roads.title')} lead={t('roads.lead')} wide>
      <Load of={months}>
        {(all) => (all.length > 0 ? <Month all={all} /> : <Empty title={t('roads.none')}>{t('roads.noneHow')}</Empty>)}
      </Load>
    </Page>
  )
}

function Month({ all }: { all: readonly TrafficView[] }) {
  const { t } = useTranslation('analyst')
  const { agency } = useMe()
  const { month: monthName, number } = useFormats()
  const [month, setMonth] = useState(all[0].month)
  const map = useGet<MapView>(`/v1/agencies/${agency.id}/map`)
  const roads = useGet<readonly DrivenRoadView[]>(`/v1/agencies/${agency.id}/traffic/${month}`)
  const { segments, suppressed, vehicles } = all.find((one) => one.month === month)!
  return (
    <>
      {all.length > 1 && (
        <SelectField
          id="month"
          name="month"
          label={t('roads.month')}
          value={month}
          options={all.map(({ month: value }) => ({ value, label: monthName(value) }))}
          onValue={setMonth}
        />
      )}
      <Load of={map}>{({ bounds }) => <Heat month={month} bounds={bounds} />}</Load>
      <Legend
        entries={HEAT.map((colour, i) => ({
          colour,
          label:
            i === 0 ? `< ${STEPS[0]}` : `${STEPS[i - 1]}${i < STEPS.length ? `–${STEPS[i]}` : `+ ${t('roads.many')}`}`,
        }))}
      />
      <p className="govuk-body rm-muted">
        {t('roads.left', { segments: number(segments), suppressed: number(suppressed), vehicles: number(vehicles) })}
      </p>
      <Section title={t('roads.table')}>
        <Load of={roads}>{(rows) => <ByRoad rows={rows} />}</Load>
      </Section>
    </>
  )
}

function Heat({ month, bounds }: { month: string; bounds: MapView['bounds'] }) {
  const { t } = useTranslation('analyst')
  const map = useRef<MapLibre | null>(null)
  const latest = useRef(month)
  latest.current = month
  const onReady = useCallback((ready: MapLibre) => {
    map.current = ready
    heat(ready, latest.current)
    ready.once('idle', () => goToHeat(ready))
    return () => void (map.current = null)
  }, [])
  useEffect(() => {
    if (map.current) heat(map.current, month)
  }, [month])
  return <RoadMap label={t('roads.map')} layers={NO_LAYERS} bounds={bounds} onReady={onReady} />
}

/** Goes to where anything was driven, once that is there: a road network reaches further than a pilot. */
function goToHeat(map: MapLibre): void {
  const places = map
    .querySourceFeatures('charged', { sourceLayer: 'charged' })
    .flatMap(({ geometry }) => ('coordinates' in geometry ? (geometry.coordinates.flat(2) as number[]) : []))
  if (places.length === 0) return
  let [west, south, east, north] = [180, 90, -180, -90]
  for (let i = 0; i < places.length; i += 2) {
    west = Math.min(west, places[i])
    east = Math.max(east, places[i])
    south = Math.min(south, places[i + 1])
    north = Math.max(north, places[i + 1])
  }
  map.fitBounds([west, south, east, north], { padding: 36, animate: false })
}

function heat(map: MapLibre, month: string): void {
  if (map.getLayer('charged')) map.removeLayer('charged')
  if (map.getSource('charged')) map.removeSource('charged')
  map.addSource('charged', {
    type: 'vector',
    tiles: [`${location.origin}/tiles/charged/{z}/{x}/{y}.pbf?month=${month}`],
    maxzoom: 14,
  })
  map.addLayer(
    {
      id: 'charged',
      type: 'line',
      source: 'charged',
      'source-layer': 'charged',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': ['step', ['get', 'passes'], HEAT[0], ...STEPS.flatMap((step, i) => [step, HEAT[i + 1]])] as never,
        'line-width': ['interpolate', ['linear'], ['zoom'], 9, 1.5, 13, 4, 16, 10],
      },
    },
    map.getStyle().layers.find(({ type }) => type === 'symbol')?.id,
  )
}

function ByRoad({ rows }: { rows: readonly DrivenRoadView[] }) {
  const { t } = useTranslation(['analyst', 'shared'])
  const classOf = (row: DrivenRoadView) => t(`shared:roadClass.${row.class as 'motorway'}`)
  const { distance, number } = useFormats()
  return (
    <Table
      caption={t('roads.table')}
      isCaptionHidden
      rows={rows}
      keyOf={(row) => `${row.name} ${row.class}`}
      columns={[
        { id: 'road', title: t('roads.road'), cell: (row) => row.name || t('roads.unnamed', { class: classOf(row) }) },
        { id: 'class', title: t('roads.class'), cell: classOf },
        { id: 'distance', title: t('roads.distance'), isNumber: true, cell: ({ chargedMm }) => distance(chargedMm) },
        { id: 'stretches', title: t('roads.stretches'), isNumber: true, cell: ({ segments }) => number(segments) },
        { id: 'vehicles', title: t('roads.vehicles'), isNumber: true, cell: ({ vehicles }) => number(vehicles) },
      ]}
    />
  )
}
