import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { PolicyLineView } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { isDraft, State } from './state'

/** Every policy of the agency: what is being written, and what is, was and will be in force along time. */
export function Policies() {
  const { t } = useTranslation('agency')
  const { agency, role } = useMe()
  const policies = useGet<readonly PolicyLineView[]>(`/v1/agencies/${agency.id}/drafts`)
  return (
    <Page
      title={t('policies.title')}
      lead={t('policies.lead')}
      actions={
        role === 'editor' && (
          <Link className="govuk-button" to="/agency/policies/new">
            {t('policies.write')}
          </Link>
        )
      }
    >
      <Load of={policies}>
        {(rows) => (
          <>
            <Drafts rows={rows.filter(({ state }) => isDraft(state))} />
            <TimeLine rows={rows.filter(({ state }) => !isDraft(state))} />
          </>
        )}
      </Load>
    </Page>
  )
}

function Drafts({ rows }: { rows: readonly PolicyLineView[] }) {
  const { t } = useTranslation('agency')
  const { moment } = useFormats()
  return (
    <Section title={t('policies.drafts')}>
      {rows.length === 0 ? (
        <Empty title={t('policies.noDrafts')}>{t('policies.noDraftsHow')}</Empty>
      ) : (
        <Table
          caption={t('policies.drafts')}
          isCaptionHidden
          rows={rows}
          keyOf={({ policy }) => policy}
          columns={[
            { id: 'name', title: t('policies.name'), cell: (row) => <PolicyLink of={row} /> },
            { id: 'starts', title: t('policies.starts'), cell: ({ startsAt }) => moment(Date.parse(startsAt)) },
            { id: 'revision', title: t('policies.revision'), isNumber: true, cell: ({ revision }) => revision },
            { id: 'state', title: t('policies.state'), cell: ({ state }) => <State of={state} /> },
          ]}
        />
      )}
    </Section>
  )
}

/** Published policies in the order in which they take over, latest first. */
function TimeLine({ rows }: { rows: readonly PolicyLineView[] }) {
  const { t } = useTranslation('agency')
  const { date } = useFormats()
  const latest = [...rows].sort((a, b) => Date.parse(b.startsAt) - Date.parse(a.startsAt))
  return (
    <Section title={t('policies.line')}>
      <ol className="rm-timeline" reversed>
        {latest.map((row, i) => (
          <li key={row.policy} className={`rm-timeline__item rm-timeline__item--${row.state}`}>
            <p className="rm-timeline__when">{date(row.startsAt.slice(0, 10))}</p>
            <div className="rm-card">
              <p className="rm-timeline__name">
                <PolicyLink of={row} /> <State of={row.state} />
              </p>
              <p className="rm-muted">
                {i === 0
                  ? t('policies.onward')
                  : t('policies.until', { day: date(latest[i - 1].startsAt.slice(0, 10)) })}
              </p>
            </div>
          </li>
        ))}
      </ol>
    </Section>
  )
}

const PolicyLink = ({ of: { policy, name } }: { of: PolicyLineView }) => (
  <Link className="govuk-link" to={`/agency/policies/${policy}`}>
    {name}
  </Link>
)
