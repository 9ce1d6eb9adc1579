import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import type { DiffView } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { Legend, RoadMap } from '../shared/map'
import { useMe } from '../shared/me'
import { Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { MoneyFigures } from './money'

type Change = DiffView['map']['features'][number]['properties']['change']
const COLOURS: Record<Change, string> = {
  added: '#1a7f4b',
  removed: '#b3261e',
  moved: '#b06a00',
  repriced: '#3a5fc8',
  same: '#7d8f8d',
}

/** Two versions of a tariff side by side: in prices, on the map, in money and in words. */
export default function Diff() {
  const { t, i18n } = useTranslation('agency')
  const { policy } = useParams()
  const { agency } = useMe()
  const diff = useGet<DiffView>(`/v1/agencies/${agency.id}/drafts/${policy}/diff?language=${i18n.language}`)
  const back = { to: `/agency/policies/${policy}`, label: policy! }
  if (diff.state === 'failed' && diff.problem.status === 404)
    return (
      <Page title={t('diff.title')} back={back}>
        <Empty title={t('diff.none')} />
      </Page>
    )
  return (
    <Load of={diff} isPart={false}>
      {(data) => (
        <Page
          title={t('diff.title')}
          lead={t('diff.lead', { before: data.before, after: data.after })}
          back={back}
          wide
        >
          <Prices diff={data} />
          <Places diff={data} />
          <Section title={t('diff.money')}>
            {data.money ? <MoneyFigures of={data.money} /> : <Empty title={t('diff.moneyNone')} />}
          </Section>
          <Words diff={data} />
        </Page>
      )}
    </Load>
  )
}

function Prices({ diff: { prices, reordered } }: { diff: DiffView }) {
  const { t } = useTranslation('agency')
  const { price, share } = useFormats()
  const said = (of: DiffView['prices'][number]['before']) =>
    of ? `${price(of.micros)} ${t(`diff.per.${of.per as 'mile'}`)}` : t('diff.nothing')
  return (
    <Section title={t('diff.prices')}>
      {reordered && <Notice kind="warning">{t('diff.reordered')}</Notice>}
      {prices.length === 0 ? (
        <Empty title={t('diff.same')} />
      ) : (
        <Table
          caption={t('diff.prices')}
          isCaptionHidden
          rows={prices}
          keyOf={({ rule }) => rule}
          columns={[
            { id: 'rule', title: t('diff.rule'), cell: ({ name }) => name },
            { id: 'before', title: t('diff.before'), isNumber: true, cell: ({ before }) => said(before) },
            { id: 'after', title: t('diff.after'), isNumber: true, cell: ({ after }) => said(after) },
            {
              id: 'change',
              title: t('diff.change'),
              isNumber: true,
              cell: ({ percent }) =>
                percent === null ? '' : `${percent > 0 ? '+' : '−'}${share(Math.abs(percent) / 100)}`,
            },
          ]}
        />
      )}
    </Section>
  )
}

function Places({ diff: { map } }: { diff: DiffView }) {
  const { t } = useTranslation('agency')
  const layers = useMemo(
    () => [
      {
        id: 'zones',
        kind: 'area' as const,
        data: {
          type: 'FeatureCollection' as const,
          features: map.features.map(({ properties, geometry }) => ({
            type: 'Feature' as const,
            geometry: geometry as never,
            properties: {
              colour: COLOURS[properties.of === 'before' ? 'removed' : properties.change],
              name: properties.name,
            },
          })),
        },
      },
    ],
    [map],
  )
  const found = [...new Set(map.features.map(({ properties }) => properties.change))]
  if (map.features.length === 0) return null
  return (
    <Section title={t('diff.map')}>
      <RoadMap label={t('diff.map')} layers={layers} />
      <Legend entries={found.map((change) => ({ colour: COLOURS[change], label: t(`diff.mapChange.${change}`) }))} />
      <Table
        caption={t('diff.map')}
        isCaptionHidden
        rows={map.features}
        keyOf={({ properties: { zone, of } }) => `${zone} ${of}`}
        columns={[
          { id: 'zone', title: t('diff.zone'), cell: ({ properties: { name } }) => name },
          {
            id: 'change',
            title: t('diff.change'),
            cell: ({ properties: { change, of } }) =>
              of === 'before' && change === 'moved' ? t('diff.oldShape') : t(`diff.mapChange.${change}`),
          },
          { id: 'before', title: t('diff.before'), cell: ({ properties }) => properties.before.join('; ') },
          { id: 'after', title: t('diff.after'), cell: ({ properties }) => properties.after.join('; ') },
        ]}
      />
    </Section>
  )
}

function Words({ diff: { words } }: { diff: DiffView }) {
  const { t } = useTranslation('agency')
  return (
    <Section title={t('diff.words')}>
      <Table
        caption={t('diff.words')}
        isCaptionHidden
        rows={words}
        keyOf={({ path }) => path}
        columns={[
          { id: 'what', title: t('diff.what'), cell: ({ path }) => <code>{path}</code> },
          {
            id: 'before',
            title: t('diff.before'),
            cell: ({ before }) => (before === null ? t('diff.gone') : <del>{before}</del>),
          },
          {
            id: 'after',
            title: t('diff.after'),
            cell: ({ after }) => (after === null ? t('diff.gone') : <ins>{after}</ins>),
          },
        ]}
      />
    </Section>
  )
}
