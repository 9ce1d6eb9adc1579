import { type Map as MapLibre } from 'maplibre-gl'
import { type ChangeEvent, useCallback, useEffect, useId, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MapView, PolicyZone, ZoneGeometry } from '#contracts'
import { useGet } from '../../shared/api'
import { RoadMap } from '../../shared/map'
import { useMe } from '../../shared/me'
import { Load } from '../../shared/states'
import { cornersOf, isPlain, polygonsIn, zoneFeatures, zoneId } from '../zone-shapes'
import { fieldId } from './schema'
import { openPen, type Pen } from './pen'

type Zones = Readonly<Record<string, PolicyZone>>

/** The zones of a policy: drawn and changed on the map, named and listed below it, imported as GeoJSON. */
export function ZoneEditor({
  zones,
  faults,
  onChange,
}: {
  zones: Zones
  faults: ReadonlyMap<string, string>
  onChange: (zones: Zones) => void
}) {
  const { t } = useTranslation('agency')
  const { agency } = useMe()
  const map = useGet<MapView>(`/v1/agencies/${agency.id}/map`)
  const [isDrawing, setDrawing] = useState(false)
  const pen = useRef<Pen | null>(null)
  const latest = useRef({ zones, isDrawing, onChange, t })
  latest.current = { zones, isDrawing, onChange, t }

  const add = useCallback((found: readonly { name: string | null; geometry: ZoneGeometry }[]) => {
    const { zones: now, onChange: tell, t: say } = latest.current
    const next: Record<string, PolicyZone> = { ...now }
    for (const { name, geometry } of found) {
      const called = name ?? say('editor.zoneNew', { n: Object.keys(next).length + 1 })
      next[zoneId(called, Object.keys(next))] = { name: called.slice(0, 120), geometry }
    }
    tell(next)
  }, [])
  const onReady = useCallback(
    (drawn: MapLibre) => {
      pen.current = openPen(drawn, {
        drawn: (geometry) => {
          setDrawing(false)
          add([{ name: null, geometry }])
        },
        reshaped: (zone, geometry) => {
          const { zones: now, onChange: tell } = latest.current
          if (now[zone]) tell({ ...now, [zone]: { ...now[zone], geometry } })
        },
      })
      pen.current.show(latest.current.zones)
      // Asked for before the map was there, or on the one before it.
      pen.current.draw(latest.current.isDrawing)
      return () => {
        pen.current?.close()
        pen.current = null
      }
    },
    [add],
  )
  useEffect(() => pen.current?.show(zones), [zones])

  // What a pen can't change is shown beneath it.
  const layers = useMemo(
    () => [
      {
        id: 'fixed',
        kind: 'area' as const,
        data: zoneFeatures(
          Object.fromEntries(Object.entries(zones).filter(([, { geometry }]) => geometry && !isPlain(geometry))),
        ),
      },
    ],
    [zones],
  )
  return (
    <div id={fieldId('zones')} tabIndex={-1}>
      <p className="govuk-body rm-muted">{t(isDrawing ? 'editor.drawing' : 'editor.zonesHow')}</p>
      <Load of={map}>
        {({ bounds }) => <RoadMap label={t('editor.zones')} layers={layers} bounds={bounds} onReady={onReady} />}
      </Load>
      <p className="rm-actions">
        <button
          type="button"
          className="govuk-button govuk-button--secondary rm-small"
          aria-pressed={isDrawing}
          onClick={() => {
            pen.current?.draw(!isDrawing)
            setDrawing(!isDrawing)
          }}
        >
          {t(isDrawing ? 'editor.stopDrawing' : 'editor.draw')}
        </button>
      </p>
      <Import add={add} />
      <List zones={zones} faults={faults} onChange={onChange} />
    </div>
  )
}

function Import({ add }: { add: (found: ReturnType<typeof polygonsIn>) => void }) {
  const { t } = useTranslation('agency')
  const id = useId()
  const [isWrong, setWrong] = useState(false)
  const read = ({ target }: ChangeEvent<HTMLInputElement>) => {
    void target.files?.[0]?.text().then((text) => {
      let found: ReturnType<typeof polygonsIn> = []
      try {
        found = polygonsIn(JSON.parse(text))
      } catch {
        // Said below.
      }
      setWrong(found.length === 0)
      if (found.length > 0) add(found)
      target.value = ''
    })
  }
  return (
    <div className={`govuk-form-group${isWrong ? ' govuk-form-group--error' : ''}`}>
      <label className="govuk-label govuk-label--s" htmlFor={id}>
        {t('editor.import')}
      </label>
      <div className="govuk-hint" id={`${id}-hint`}>
        {t('editor.importHint')}
      </div>
      {isWrong && (
        <p className="govuk-error-message" role="alert">
          {t('editor.importWrong')}
        </p>
      )}
      <input
        id={id}
        type="file"
        accept=".geojson,.json,application/geo+json,application/json"
        className="govuk-file-upload"
        aria-describedby={`${id}-hint`}
        onChange={read}
      />
    </div>
  )
}

function List({
  zones,
  faults,
  onChange,
}: {
  zones: Zones
  faults: ReadonlyMap<string, string>
  onChange: (zones: Zones) => void
}) {
  const { t } = useTranslation('agency')
  const all = Object.entries(zones)
  if (all.length === 0) return <p className="govuk-body">{t('editor.noZones')}</p>
  return (
    <ul className="rm-rules">
      {all.map(([id, zone]) => {
        const wrong = [...faults].find(([path]) => path === `zones.${id}` || path.startsWith(`zones.${id}.`))?.[1]
        return (
          <li key={id} className="rm-box" id={fieldId(`zones.${id}`)} tabIndex={-1}>
            <div className={wrong ? 'govuk-form-group govuk-form-group--error' : 'govuk-form-group'}>
              <label className="govuk-label" htmlFor={`zone-${id}`}>
                {t('editor.zoneName', { id })}
              </label>
              {wrong && <p className="govuk-error-message">{wrong}</p>}
              <input
                id={`zone-${id}`}
                className="govuk-input"
                value={zone.name}
                onChange={({ target }) => onChange({ ...zones, [id]: { ...zone, name: target.value } })}
              />
            </div>
            <p className="rm-actions rm-muted">
              {!zone.geometry
                ? t('editor.listed')
                : isPlain(zone.geometry)
                  ? t('editor.corners', { count: cornersOf(zone.geometry) })
                  : t('editor.drawnElsewhere')}
              <button
                type="button"
                className="rm-link"
                onClick={() => onChange(Object.fromEntries(all.filter(([one]) => one !== id)))}
              >
                {t('editor.remove')} <span className="govuk-visually-hidden">{zone.name}</span>
              </button>
            </p>
          </li>
        )
      })}
    </ul>
  )
}
