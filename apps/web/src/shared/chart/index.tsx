import { lazy, Suspense } from 'react'
import { Loading } from '../states'
import { type ChartProps } from './drawn'

const Drawn = lazy(() => import('./drawn'))

/** A chart (an option of Apache ECharts). What it shows also stands in a table or in words on the same page. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Loading />}>
      <Drawn {...props} />
    </Suspense>
  )
}
