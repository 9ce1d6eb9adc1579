import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get } from '../shared/api'
import { Chart } from '../shared/chart'
import { Form, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Notice, Page } from '../shared/page'
import { Table } from '../shared/table'
import { type EvaluationView } from './tables'

const MONTHS = /^\d{4}-(0[1-9]|1[0-2])([\s,]+\d{4}-(0[1-9]|1[0-2]))*$/
const listed = (text: string): string =>
  text
    .trim()
    .split(/[\s,]+/)
    .join(',')

/** How the arms of a trial changed, with what can be said for sure about it. */
export function Pilot() {
  const { t } = useTranslation('analyst')
  const { agency } = useMe()
  const [found, setFound] = useState<EvaluationView | null>(null)
  const form = useForm(
    { baseline: '', pilot: '', control: 'control' },
    {
      check: ({ baseline, pilot, control }) => ({
        ...(MONTHS.test(baseline.trim()) ? {} : { baseline: t('pilot.monthsWrong') }),
        ...(MONTHS.test(pilot.trim()) ? {} : { pilot: t('pilot.monthsWrong') }),
        ...(control.trim() ? {} : { control: t('pilot.controlMissing') }),
      }),
      send: async ({ baseline, pilot, control }) => {
        const asked = new URLSearchParams({ baseline: listed(baseline), pilot: listed(pilot), control: control.trim() })
        setFound(await get<EvaluationView>(`/v1/agencies/${agency.id}/evaluation?${asked.toString()}`))
      },
    },
  )
  return (
    <Page title={t('pilot.title')} lead={t('pilot.lead')} wide>
      <Form form={form} submit={t('pilot.ask')}>
        <TextField label={t('pilot.baseline')} hint={t('pilot.monthsHint')} width={20} {...form.bind('baseline')} />
        <TextField label={t('pilot.pilotMonths')} width={20} {...form.bind('pilot')} />
        <TextField label={t('pilot.control')} width={20} {...form.bind('control')} />
      </Form>
      {found &&
        (found.result ? (
          <Arms result={found.result} vehicles={found.vehicles} />
        ) : (
          <Notice kind="warning">{t('pilot.none')}</Notice>
        ))}
    </Page>
  )
}

function Arms({ result, vehicles }: { result: NonNullable<EvaluationView['result']>; vehicles: number | null }) {
  const { t, i18n } = useTranslation('analyst')
  const { distance, number, share } = useFormats()
  const fine = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 2, signDisplay: 'exceptZero' })
  const signed = (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${share(Math.abs(value))}`
  const changed = result.arms.filter(({ change }) => change)
  const option = useMemo(
    () => ({
      xAxis: { type: 'category', data: changed.map(({ arm }) => arm) },
      yAxis: { type: 'value', axisLabel: { formatter: '{value} %' } },
      series: [
        {
          type: 'boxplot',
          data: changed.map(({ change }) =>
            [change!.low, change!.low, change!.value, change!.high, change!.high].map(
              (value) => Math.round(value * 1000) / 10,
            ),
          ),
        },
      ],
    }),
    [result],
  )
  const interval = (
    of: { value: number; low: number; high: number } | null,
    isControl: boolean,
    say: (value: number) => string,
  ) =>
    of
      ? t('pilot.to', { value: say(of.value), low: say(of.low), high: say(of.high) })
      : t(isControl ? 'pilot.isControl' : 'pilot.unknown')
  return (
    <>
      {vehicles !== null && <p className="govuk-body">{t('pilot.vehicles', { count: vehicles })}</p>}
      {changed.length > 0 && <Chart label={t('pilot.chart')} option={option} />}
      <Table
        caption={t('pilot.chart')}
        isCaptionHidden
        rows={result.arms}
        keyOf={({ arm }) => arm}
        columns={[
          { id: 'arm', title: t('pilot.arm'), cell: ({ arm }) => arm },
          { id: 'vehicles', title: t('pilot.vehiclesColumn'), isNumber: true, cell: (row) => number(row.vehicles) },
          { id: 'before', title: t('pilot.before'), isNumber: true, cell: ({ baselineMm }) => distance(baselineMm) },
          { id: 'after', title: t('pilot.after'), isNumber: true, cell: ({ pilotMm }) => distance(pilotMm) },
          {
            id: 'change',
            title: t('pilot.change'),
            isNumber: true,
            cell: ({ arm, change }) => interval(change, arm === result.comparedWith, signed),
          },
          {
            id: 'elasticity',
            title: t('pilot.elasticity'),
            isNumber: true,
            cell: ({ arm, elasticity }) =>
              interval(elasticity, arm === result.comparedWith, (value) => fine.format(value)),
          },
        ]}
      />
      {result.withheld > 0 && <p className="govuk-body rm-muted">{t('pilot.withheld', { count: result.withheld })}</p>}
    </>
  )
}
