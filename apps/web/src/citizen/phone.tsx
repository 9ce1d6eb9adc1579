import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import type { LiveNews } from '#contracts'
import { useLive } from '../shared/api'
import { useFormats } from '../shared/format'
import { Figure, Figures, Notice, Page } from '../shared/page'
import { type Recorder, type RecorderState } from './recorder'

/** How often what was recorded is sent on, so that the charge on this page follows the drive. */
const FLUSH_MS = 10_000
const RESTING: RecorderState = { fixes: 0, waiting: 0, isOffline: false, problem: null }

/** Makes this telephone the device of a vehicle for a drive. */
export function Phone() {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const { vehicle } = useParams() as { vehicle: string }
  const [state, setState] = useState(RESTING)
  const [step, setStep] = useState<'idle' | 'starting' | 'driving' | 'done' | 'refused' | 'failed'>('idle')
  const [news, setNews] = useState<LiveNews | null>(null)
  useLive<LiveNews>(step === 'driving' ? '/v1/live' : null, setNews)
  const recorder = useRef<Recorder>(null)
  const stop = useRef<() => void>(() => undefined)
  useEffect(() => () => stop.current(), [])

  const start = async () => {
    setStep('starting')
    try {
      const { Recorder } = await import('./recorder')
      recorder.current = await Recorder.open(vehicle, setState)
    } catch {
      return setStep('failed')
    }
    recorder.current.begin(Date.now())
    const watch = navigator.geolocation.watchPosition(
      ({ timestamp, coords: { latitude, longitude, accuracy } }) =>
        void recorder.current?.add(timestamp, latitude, longitude, accuracy),
      ({ code }) => {
        if (code !== GeolocationPositionError.PERMISSION_DENIED) return
        stop.current()
        setStep('refused')
      },
      { enableHighAccuracy: true, maximumAge: 0 },
    )
    const timer = setInterval(() => void recorder.current?.flush(), FLUSH_MS)
    // A screen that sleeps records nothing; not every browser can keep it awake.
    const lock = await navigator.wakeLock?.request('screen').catch(() => null)
    stop.current = () => {
      navigator.geolocation.clearWatch(watch)
      clearInterval(timer)
      void lock?.release()
      stop.current = () => undefined
    }
    setStep('driving')
  }
  const end = async () => {
    stop.current()
    await recorder.current?.end()
    setStep('done')
  }
  const running = news?.running.find((trip) => trip.vehicle === vehicle)
  return (
    <Page
      title={t('phone.title')}
      lead={t('phone.lead')}
      back={{ to: `/my/vehicles/${vehicle}`, label: t('phone.back') }}
    >
      {step === 'refused' && (
        <Notice kind="warning" title={t('phone.refused')}>
          {t('phone.refusedNote')}
        </Notice>
      )}
      {step === 'failed' && (
        <Notice kind="warning" title={t('phone.failed')}>
          {t('phone.failedNote')}
        </Notice>
      )}
      {step === 'done' && (
        <Notice kind={state.waiting > 0 ? 'warning' : 'success'} title={t('phone.done')}>
          {state.waiting > 0 ? t('phone.doneWaiting', { count: state.waiting }) : t('phone.doneNote')}
        </Notice>
      )}
      {(step === 'driving' || step === 'done') && (
        <Figures>
          <Figure
            name={t('phone.charge')}
            value={running ? format.money(running.amountMicros) : '–'}
            note={running ? format.distance(running.distanceMm) : t('phone.noCharge')}
          />
          <Figure name={t('phone.fixes')} value={<span data-fixes={state.fixes}>{format.number(state.fixes)}</span>} />
          <Figure
            name={t('phone.waiting')}
            value={<span data-waiting={state.waiting}>{format.number(state.waiting)}</span>}
            note={state.isOffline ? t('phone.offline') : (state.problem ?? t('phone.waitingNote'))}
          />
        </Figures>
      )}
      <p className="rm-actions">
        {step === 'driving' ? (
          <button type="button" className="govuk-button govuk-button--warning" onClick={() => void end()}>
            {t('phone.end')}
          </button>
        ) : (
          <button
            type="button"
            className="govuk-button"
            onClick={() => void start()}
            aria-disabled={step === 'starting'}
          >
            {t('phone.start')}
          </button>
        )}
      </p>
      <ul className="govuk-list govuk-list--bullet">
        <li>{t('phone.how.key')}</li>
        <li>{t('phone.how.offline')}</li>
        <li>{t('phone.how.only')}</li>
      </ul>
      {step === 'driving' && <p className="govuk-body rm-muted">{t('running.provisional')}</p>}
    </Page>
  )
}
