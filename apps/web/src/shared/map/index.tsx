import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Loading } from '../states'
import { type MapProps } from './drawn'

const Drawn = lazy(() => import('./drawn'))

export { type MapLayer, type MapProps } from './drawn'

/** A map on our own roads. Whatever it shows also stands in a table on the same page. */
export function RoadMap(props: Omit<MapProps, 'onBroken'>) {
  const { t } = useTranslation('shared')
  const [isBroken, setBroken] = useState(false)
  if (isBroken) return <p className="rm-empty govuk-body">{t('map.failed')}</p>
  return (
    <div className="rm-map">
      <Suspense fallback={<Loading />}>
        <Drawn {...props} onBroken={() => setBroken(true)} />
      </Suspense>
    </div>
  )
}

/** What the colours of a map mean. */
export function Legend({ entries }: { entries: readonly { colour: string; label: string }[] }) {
  return (
    <ul className="rm-legend">
      {entries.map(({ colour, label }) => (
        <li key={label}>
          <i style={{ background: colour }} />
          {label}
        </li>
      ))}
    </ul>
  )
}
