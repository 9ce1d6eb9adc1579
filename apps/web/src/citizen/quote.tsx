import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Quote } from '#contracts'
import { send, useGet } from '../shared/api'
import { Form, RadioField, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { RoadMap } from '../shared/map'
import { useMe } from '../shared/me'
import { Figure, Figures, Notice, Page, Section } from '../shared/page'
import { Load } from '../shared/states'
import { Table } from '../shared/table'
import { DrawnDrive, useRuleAndZones, usePriceWords } from './drawn-drive'
import { layerOf, pointFeature } from './prices'

const CLASSES = ['car', 'van', 'truck', 'bus', 'motorcycle'] as const
const PLACE = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/

/** `57.70, 11.97` as [longitude, latitude]. */
const placeOf = (text: string): [number, number] | null => {
  const found = PLACE.exec(text)
  return found && [Number(found[2]), Number(found[1])]
}

/** What a drive would cost, before driving it. */
export function QuotePage() {
  const { t } = useTranslation('citizen')
  const { agency } = useMe()
  const map = useGet<{ bounds: [number, number, number, number] }>(`/v1/agencies/${agency.id}/map`)
  return (
    <Page wide title={t('quote.title')} lead={t('quote.lead')}>
      <Load of={map}>{({ bounds }) => <Ask bounds={bounds} />}</Load>
    </Page>
  )
}

/** The middle of a map: a city, not the whole county around it. */
const middle = ([west, south, east, north]: readonly [number, number, number, number]) =>
  [
    west + (east - west) * 0.3,
    south + (north - south) * 0.3,
    east - (east - west) * 0.3,
    north - (north - south) * 0.3,
  ] as const

const localInput = (at: number): string =>
  new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

function Ask({ bounds }: { bounds: readonly [number, number, number, number] }) {
  const { t } = useTranslation('citizen')
  const [quote, setQuote] = useState<Quote | null>(null)
  const [next, setNext] = useState<'from' | 'to'>('from')
  const view = useMemo(() => middle(bounds), [bounds])
  const form = useForm(
    { from: '', to: '', at: localInput(Date.now()), vehicleClass: 'car' as (typeof CLASSES)[number] },
    {
      check: ({ from, to, at }) => ({
        ...(placeOf(from) ? {} : { from: t('quote.fromFault') }),
        ...(placeOf(to) ? {} : { to: t('quote.toFault') }),
        ...(Number.isNaN(Date.parse(at)) ? { at: t('quote.atFault') } : {}),
      }),
      send: async ({ from, to, at, vehicleClass }) =>
        setQuote(
          await send<Quote>('POST', '/v1/quote', {
            from: placeOf(from),
            to: placeOf(to),
            at: Date.parse(at),
            vehicleClass,
          }),
        ),
    },
  )
  const { from, to } = form.values
  const layers = useMemo(
    () => [
      layerOf(
        'ends',
        'point',
        [placeOf(from), placeOf(to)].flatMap((place, i) =>
          place ? [pointFeature(...place, { colour: i === 0 ? '#0b6b3a' : '#b3261e', radius: 8 })] : [],
        ),
      ),
    ],
    [from, to],
  )
  const pick = (lon: number, lat: number) => {
    form.set({ [next]: `${lat.toFixed(5)}, ${lon.toFixed(5)}` })
    setNext(next === 'from' ? 'to' : 'from')
  }
  return (
    <>
      <div className="rm-columns">
        <div className="rm-card">
          <Form form={form} submit={t('quote.ask')}>
            <TextField {...form.bind('from')} label={t('quote.from')} hint={t('quote.placeHint')} />
            <TextField {...form.bind('to')} label={t('quote.to')} />
            <TextField {...form.bind('at')} label={t('quote.at')} type="datetime-local" />
            <SelectField
              {...form.bind('vehicleClass')}
              label={t('quote.vehicle')}
              options={CLASSES.map((value) => ({ value, label: t(`vehicleClass.${value}`) }))}
            />
          </Form>
        </div>
        <div>
          <RadioField
            id="quote-next"
            name="next"
            label={t('quote.next')}
            value={next}
            onValue={setNext}
            options={[
              { value: 'from', label: t('quote.from') },
              { value: 'to', label: t('quote.to') },
            ]}
          />
          <RoadMap label={t('quote.map')} layers={layers} bounds={view} isFollowed onClick={pick} />
        </div>
      </div>
      {quote && <Shown quote={quote} />}
    </>
  )
}

function Shown({ quote }: { quote: Quote }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const priceWords = usePriceWords()
  const ruleAndZones = useRuleAndZones()
  return (
    <Section title={t('quote.result')}>
      <div role="status">
        <Figures>
          <Figure
            name={t('quote.cost')}
            value={format.money(quote.amountMicros)}
            note={quote.policy ?? t('quote.noPolicy')}
          />
          <Figure
            name={t('drive.distance')}
            value={format.distance(quote.distanceMm)}
            note={format.minutes(quote.durationMs)}
          />
        </Figures>
      </div>
      <Notice>{t('quote.note')}</Notice>
      <Table
        caption={t('trip.lines')}
        rows={quote.lines}
        keyOf={(_, i) => i}
        columns={[
          { id: 'rule', title: t('drive.why'), cell: ({ ruleName, zones }) => ruleAndZones(ruleName, zones) },
          {
            id: 'mm',
            title: t('drive.distance'),
            isNumber: true,
            cell: ({ distanceMm }) => format.distance(distanceMm),
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
      <DrawnDrive
        key={quote.pieces.map(({ enteredAt }) => enteredAt).join()}
        pieces={quote.pieces}
        label={t('quote.result')}
      />
    </Section>
  )
}
