import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get } from '../shared/api'
import { Chart } from '../shared/chart'
import { Form, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Notice, Page, Section } from '../shared/page'
import { Table } from '../shared/table'
import { COMPARED_BY, type EvaluationView } from './tables'

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
    { baseline: '', pilot: '', control: 'control', by: '' as (typeof COMPARED_BY)[number] | '' },
    {
      check: ({ baseline, pilot, control }) => ({
        ...(MONTHS.test(baseline.trim()) ? {} : { baseline: t('pilot.monthsWrong') }),
        ...(MONTHS.test(pilot.trim()) ? {} : { pilot: t('pilot.monthsWrong') }),
        ...(control.trim() ? {} : { control: t('pilot.controlMissing') }),
      }),
      send: async ({ baseline, pilot, control, by }) => {
        const asked = new URLSearchParams({ baseline: listed(baseline), pilot: listed(pilot), control: control.trim() })
        if (by) asked.set('by', by)
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
        <SelectField
          label={t('pilot.by')}
          options={(['', ...COMPARED_BY] as const).map((value) => ({
            value,
            label: t(`pilot.parts.${value || 'none'}`),
          }))}
          {...form.bind('by')}
        />
      </Form>
      {found &&
        (found.result ? (
          <>
            <Arms result={found.result} vehicles={found.vehicles} />
            {found.parts && <Parts parts={found.parts} />}
          </>
        ) : (
          <Notice kind="warning">{t('pilot.none')}</Notice>
        ))}
    </Page>
  )
}

function Arms({ result, vehicles }: { result: NonNullable<EvaluationView['result']>; vehicles: number | null }) {
  const { t } = useTranslation('analyst')
  const { distance, number } = useFormats()
  const { signed, fine, interval } = useIntervals()
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
            cell: ({ arm, change }) => (arm === result.comparedWith ? t('pilot.isControl') : interval(change, signed)),
          },
          {
            id: 'elasticity',
            title: t('pilot.elasticity'),
            isNumber: true,
            cell: ({ arm, elasticity }) => (arm === result.comparedWith ? '' : interval(elasticity, fine)),
          },
        ]}
      />
      {result.withheld > 0 && <p className="govuk-body rm-muted">{t('pilot.withheld', { count: result.withheld })}</p>}
    </>
  )
}

/** How an estimate is said with its interval. */
function useIntervals() {
  const { t, i18n } = useTranslation('analyst')
  const { share } = useFormats()
  const fine = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 2, signDisplay: 'exceptZero' })
  return {
    signed: (value: number) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${share(Math.abs(value))}`,
    fine: (value: number) => fine.format(value),
    interval: (of: { value: number; low: number; high: number } | null, say: (value: number) => string) =>
      of ? t('pilot.to', { value: say(of.value), low: say(of.low), high: say(of.high) }) : t('pilot.unknown'),
  }
}

/** The same in each part of the driving: a row for each arm that is not the control arm. */
function Parts({ parts: { by, groups, withheld } }: { parts: NonNullable<EvaluationView['parts']> }) {
  const { t } = useTranslation('analyst')
  const { number } = useFormats()
  const { signed, fine, interval } = useIntervals()
  const rows = groups.flatMap(({ group, arms }) => arms.map((arm) => ({ ...arm, group })))
  const drawn = rows.filter(({ change }) => change)
  const option = useMemo(
    () => ({
      xAxis: {
        type: 'category',
        data: drawn.map(({ group, arm }) => `${group} ${arm}`),
        axisLabel: { hideOverlap: true },
      },
      yAxis: { type: 'value', axisLabel: { formatter: '{value} %' } },
      series: [
        {
          type: 'boxplot',
          data: drawn.map(({ change }) =>
            [change!.low, change!.low, change!.value, change!.high, change!.high].map(
              (value) => Math.round(value * 1000) / 10,
            ),
          ),
        },
      ],
    }),
    [groups],
  )
  const title = t('pilot.partsTitle', { by: t(`pilot.parts.${by}`) })
  return (
    <Section title={title} hint={t('pilot.partsHint')}>
      {drawn.length > 0 && <Chart label={title} option={option} />}
      {rows.length === 0 ? (
        <Notice kind="warning">{t('pilot.partsNone')}</Notice>
      ) : (
        <Table
          caption={title}
          isCaptionHidden
          rows={rows}
          keyOf={({ group, arm }) => `${group} ${arm}`}
          columns={[
            {
              id: 'group',
              title: t(`pilot.parts.${by}`),
              cell: ({ group }) => (by === 'hour' ? `${group}:00` : group),
            },
            { id: 'arm', title: t('pilot.arm'), cell: ({ arm }) => arm },
            { id: 'vehicles', title: t('pilot.vehiclesColumn'), isNumber: true, cell: (row) => number(row.vehicles) },
            {
              id: 'change',
              title: t('pilot.change'),
              isNumber: true,
              cell: ({ change }) => interval(change, signed),
            },
            {
              id: 'elasticity',
              title: t('pilot.elasticity'),
              isNumber: true,
              cell: ({ elasticity }) => interval(elasticity, fine),
            },
          ]}
        />
      )}
      {withheld > 0 && <p className="govuk-body rm-muted">{t('pilot.partsWithheld', { count: withheld })}</p>}
    </Section>
  )
}
