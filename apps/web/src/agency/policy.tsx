import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import type { PolicyView } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { RoadMap } from '../shared/map'
import { useMe } from '../shared/me'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { NextStep } from './next-step'
import { isDraft, State } from './state'
import { zoneFeatures } from './zone-shapes'

/** One policy: what it says, where it stands, how it came there, and what whoever reads this may do about it. */
export function PolicyPage() {
  const { t, i18n } = useTranslation('agency')
  const { policy } = useParams()
  const { agency, role } = useMe()
  const story = useGet<PolicyView>(`/v1/agencies/${agency.id}/drafts/${policy}?language=${i18n.language}`)
  const { moment } = useFormats()
  const to = (page: string) => `/agency/policies/${policy}/${page}`
  return (
    <Load of={story} isPart={false}>
      {(data) => (
        <Page
          title={data.document.name}
          back={{ to: '/agency/policies', label: t('policy.back') }}
          lead={
            <>
              <State of={data.state} /> {t('policy.starts', { moment: moment(Date.parse(data.document.startsAt)) })}
            </>
          }
          actions={
            <>
              {role === 'editor' && isDraft(data.state) && (
                <Link className="govuk-button" to={to('edit')}>
                  {t('policy.edit')}
                </Link>
              )}
              {role === 'editor' && !isDraft(data.state) && (
                <Link className="govuk-button govuk-button--secondary" to={`/agency/policies/new?from=${policy}`}>
                  {t('policy.copy')}
                </Link>
              )}
              <Link className="govuk-button govuk-button--secondary" to={to('diff')}>
                {t('policy.diff')}
              </Link>
              {data.revisions.length > 0 && (
                <Link className="govuk-button govuk-button--secondary" to={to('backtest')}>
                  {t('policy.backtest')}
                </Link>
              )}
            </>
          }
        >
          <NextStep story={data} reload={story.reload} />
          <div className="rm-columns">
            <Section title={t('policy.says')}>
              <ul className="govuk-list govuk-list--bullet">
                {data.words.map((words) => (
                  <li key={words}>{words}</li>
                ))}
              </ul>
            </Section>
            <Zones story={data} />
          </div>
          <Steps story={data} />
        </Page>
      )}
    </Load>
  )
}

function Zones({ story: { document } }: { story: PolicyView }) {
  const { t } = useTranslation('agency')
  const layers = useMemo(() => [{ id: 'zones', kind: 'area' as const, data: zoneFeatures(document.zones) }], [document])
  const zones = Object.entries(document.zones)
  if (zones.length === 0) return null
  const rulesOf = (zone: string) =>
    document.rules.filter(({ match }) => match.zones?.includes(zone) || match.outside?.includes(zone))
  return (
    <Section title={t('policy.zones')}>
      {layers[0].data.features.length > 0 && <RoadMap label={t('policy.zones')} layers={layers} />}
      <Table
        caption={t('policy.zonesTable')}
        isCaptionHidden
        rows={zones}
        keyOf={([id]) => id}
        columns={[
          { id: 'zone', title: t('policy.zone'), cell: ([, { name }]) => name },
          {
            id: 'rules',
            title: t('policy.zoneRules'),
            cell: ([id]) =>
              rulesOf(id)
                .map(({ name }) => name)
                .join(', ') || t('policy.noRules'),
          },
        ]}
      />
    </Section>
  )
}

function Steps({ story: { revisions, steps, digest } }: { story: PolicyView }) {
  const { t } = useTranslation('agency')
  const { moment } = useFormats()
  const all = [
    ...revisions.map(({ revision, author, reason, at }) => ({
      at,
      step: t('policy.stepNames.written', { revision }),
      person: author,
      reason,
    })),
    ...steps.map(({ step, person, reason, at }) => ({
      at,
      step: t(`policy.stepNames.${step as 'checked'}`),
      person,
      reason,
    })),
  ].sort((a, b) => b.at - a.at)
  return (
    <Section title={t('policy.steps')}>
      {all.length === 0 ? (
        <Empty title={t('policy.stepsNone')} />
      ) : (
        <Table
          caption={t('policy.steps')}
          isCaptionHidden
          rows={all}
          keyOf={(_, i) => i}
          columns={[
            { id: 'step', title: t('policy.step'), cell: ({ step }) => step },
            { id: 'who', title: t('policy.who'), cell: ({ person }) => person },
            { id: 'when', title: t('policy.when'), cell: ({ at }) => moment(at) },
            { id: 'why', title: t('policy.why'), cell: ({ reason }) => reason },
          ]}
        />
      )}
      <p className="govuk-body rm-muted">
        {t('policy.digest')} <code className="rm-digest">{digest}</code>
      </p>
    </Section>
  )
}
