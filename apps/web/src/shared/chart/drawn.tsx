import { BarChart, BoxplotChart, HeatmapChart, LineChart } from 'echarts/charts'
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components'
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'
import { useIsDark } from '../theme'

use([
  AriaComponent,
  BarChart,
  BoxplotChart,
  CanvasRenderer,
  GridComponent,
  HeatmapChart,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
])

export interface ChartProps {
  /** What it shows, in one sentence. */
  readonly label: string
  readonly option: EChartsCoreOption
  readonly heightPx?: number
}

/** The page's own colours, so that a chart looks as the rest in light and dark. */
const themed = (isDark: boolean): EChartsCoreOption => {
  const ink = isDark ? '#a3b8b6' : '#4a5f60'
  const rule = { lineStyle: { color: isDark ? '#2e4144' : '#dde6e2' } }
  const axis = {
    axisLine: rule,
    axisLabel: { color: ink },
    splitLine: rule,
    axisTick: { show: false },
    nameTextStyle: { color: ink },
  }
  return {
    color: isDark
      ? ['#7fd3c6', '#ffc845', '#9db8ff', '#ff9d92', '#b5d98c']
      : ['#0b6b64', '#d18b00', '#3a5fc8', '#b3261e', '#4f7d23'],
    textStyle: { fontFamily: 'Public Sans Variable, system-ui, sans-serif', color: ink },
    categoryAxis: axis,
    valueAxis: axis,
    timeAxis: axis,
    legend: { textStyle: { color: ink } },
  }
}

export default function Drawn({ label, option, heightPx = 260 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType>(null)
  const isDark = useIsDark()
  useEffect(() => {
    // Canvas: letters in SVG would have styles within markup, which the content security policy forbids.
    const drawn = init(place.current, themed(isDark))
    chart.current = drawn
    const watch = new ResizeObserver(() => drawn.resize())
    watch.observe(place.current!)
    return () => {
      watch.disconnect()
      drawn.dispose()
    }
  }, [isDark])
  useEffect(
    () =>
      chart.current?.setOption({
        animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
        grid: { left: 8, right: 8, top: 24, bottom: 8, containLabel: true },
        // Drawn, not written as HTML: the content security policy allows no styles within markup.
        tooltip: { renderMode: 'richText', trigger: 'axis', confine: true },
        ...option,
      }),
    [option, isDark],
  )
  return <div className="rm-chart" ref={place} style={{ height: heightPx }} role="img" aria-label={label} />
}
