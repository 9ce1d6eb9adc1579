import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { KILOMETRE_MM, MILE_MM } from '#kernel'
import { Problem, send, useGet } from '../shared/api'
import { FileField, Form, RadioField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Notice, Page, Section } from '../shared/page'
import { Empty, Failed, Load } from '../shared/states'
import { Table } from '../shared/table'
import { type Odometer, type VehicleRow } from './documents'
import { Devices } from './vehicles'

export function VehiclePage() {
  const { t } = useTranslation('citizen')
  const { vehicle } = useParams() as { vehicle: string }
  const vehicles = useGet<VehicleRow[]>('/v1/vehicles')
  return (
    <Load of={vehicles} isPart={false}>
      {(rows) => {
        const row = rows.find((one) => one.vehicle === vehicle)
        if (!row) return <Failed problem={new Problem(404, '', '')} />
        return (
          <Page title={row.name} back={{ to: '/my/vehicles', label: t('vehicles.title') }}>
            <Section title={t('odometer.title')} hint={t('odometer.hint')}>
              <OdometerPart vehicle={vehicle} />
            </Section>
            <Section title={t('method.title')} hint={t('method.hint')}>
              <Method row={row} changed={vehicles.reload} />
            </Section>
            <Section title={t('devices.title')}>
              <Devices of={vehicle} />
              <Link className="govuk-button govuk-button--secondary" to={`/my/vehicles/${vehicle}/phone`}>
                {t('phone.use')}
              </Link>
            </Section>
          </Page>
        )
      }}
    </Load>
  )
}

function OdometerPart({ vehicle }: { vehicle: string }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const path = `/v1/vehicles/${encodeURIComponent(vehicle)}/odometer`
  const odometer = useGet<Odometer>(path)
  return (
    <div className="rm-columns">
      <div>
        <Load of={odometer}>
          {({ readings }) =>
            readings.length === 0 ? (
              <Empty title={t('odometer.none')} />
            ) : (
              <Table
                caption={t('odometer.caption')}
                rows={[...readings].sort((a, b) => b.at - a.at).slice(0, 10)}
                keyOf={({ at, mm }) => `${at} ${mm}`}
                columns={[
                  { id: 'at', title: t('payments.when'), cell: ({ at }) => format.moment(at) },
                  { id: 'source', title: t('odometer.source'), cell: ({ source }) => t(`odometer.by.${source}`) },
                  { id: 'mm', title: t('odometer.value'), isNumber: true, cell: ({ mm }) => format.distance(mm) },
                ]}
              />
            )
          }
        </Load>
      </div>
      <div className="rm-card">
        <ReadingForm path={path} saved={odometer.reload} />
      </div>
    </div>
  )
}

const base64Of = async (file: File): Promise<string> => {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}

/** A moment as an input of dates and times wants it: the reader's own clock. */
const localInput = (at: number): string =>
  new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

function ReadingForm({ path, saved }: { path: string; saved: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const [isSaved, setSaved] = useState(false)
  const perMm = format.unit === 'mile' ? MILE_MM : KILOMETRE_MM
  const form = useForm(
    { mm: '', at: localInput(Date.now()), photo: null as File | null },
    {
      check: ({ mm, at, photo }) => ({
        ...(/^\d{1,7}([.,]\d)?$/.test(mm.trim()) ? {} : { mm: t('odometer.valueFault') }),
        ...(Number.isNaN(Date.parse(at)) || Date.parse(at) > Date.now() + 60_000 ? { at: t('odometer.atFault') } : {}),
        ...(photo ? {} : { photo: t('odometer.photoFault') }),
      }),
      send: async ({ mm, at, photo }) => {
        await send('POST', path, {
          at: Math.min(Date.parse(at), Date.now()),
          mm: Math.round(Number(mm.replace(',', '.')) * perMm),
          photo: await base64Of(photo!),
        })
        setSaved(true)
        saved()
      },
    },
  )
  return (
    <>
      <h3 className="govuk-heading-s">{t('odometer.enter')}</h3>
      {isSaved && <Notice kind="success" title={t('odometer.saved')} />}
      <Form form={form} submit={t('odometer.send')}>
        <TextField
          {...form.bind('mm')}
          label={t('odometer.value')}
          suffix={format.unit === 'mile' ? 'mi' : 'km'}
          width={10}
          inputMode="decimal"
        />
        <TextField {...form.bind('at')} label={t('odometer.at')} type="datetime-local" />
        <FileField
          {...form.bind('photo')}
          label={t('odometer.photo')}
          hint={t('odometer.photoHint')}
          accept="image/jpeg,image/png,image/webp,application/pdf"
        />
      </Form>
    </>
  )
}

const METHODS = ['location', 'odometer', 'permit'] as const

function Method({ row, changed }: { row: VehicleRow; changed: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const [isSaved, setSaved] = useState(false)
  const form = useForm(
    { method: row.method as (typeof METHODS)[number] | '', days: '7' },
    {
      check: ({ method, days }) => ({
        ...(method === row.method ? { method: t('method.same') } : {}),
        ...(method === 'permit' && !/^([1-9]\d{0,2})$/.test(days) ? { days: t('method.daysFault') } : {}),
      }),
      send: async ({ method, days }) => {
        await send('POST', `/v1/vehicles/${encodeURIComponent(row.vehicle)}/method`, {
          method,
          ...(method === 'permit' ? { days: Number(days) } : {}),
        })
        setSaved(true)
        changed()
      },
    },
  )
  return (
    <>
      {isSaved && <Notice kind="success" title={t('method.saved')} />}
      {row.chosen.map(({ from, method }) => (
        <Notice key={from}>
          {t('method.chosen', { method: t(`method.is.${method}`), date: format.moment(from) })}
        </Notice>
      ))}
      <Form form={form} submit={t('method.choose')}>
        <RadioField
          {...form.bind('method')}
          label={t('method.label')}
          options={METHODS.map((method) => ({
            value: method,
            label: t(`method.is.${method}`),
            hint: t(`method.means.${method}`),
          }))}
        />
        {form.values.method === 'permit' && (
          <TextField {...form.bind('days')} label={t('method.days')} width={5} inputMode="numeric" />
        )}
      </Form>
    </>
  )
}
