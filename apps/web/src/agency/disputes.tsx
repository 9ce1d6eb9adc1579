import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { DisputeView } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'

const isOver = ({ state }: DisputeView): boolean => ['upheld', 'refused', 'withdrawn'].includes(state)

/** Questions about statements: those that are to be decided, soonest first, and those that were. */
export function Disputes() {
  const { t } = useTranslation('agency')
  const disputes = useGet<readonly DisputeView[]>('/v1/disputes')
  return (
    <Page title={t('disputes.title')} lead={t('disputes.lead')}>
      <Load of={disputes}>
        {(all) => {
          const open = all.filter((one) => !isOver(one)).sort((a, b) => (a.decideBy < b.decideBy ? -1 : 1))
          const over = all.filter(isOver)
          return (
            <>
              <Section title={t('disputes.open')}>
                {open.length > 0 ? (
                  <List rows={open} caption={t('disputes.open')} />
                ) : (
                  <Empty title={t('disputes.none')}>{t('disputes.noneHow')}</Empty>
                )}
              </Section>
              {over.length > 0 && (
                <Section title={t('disputes.decided')}>
                  <List rows={over} caption={t('disputes.decided')} />
                </Section>
              )}
            </>
          )
        }}
      </Load>
    </Page>
  )
}

function List({ rows, caption }: { rows: readonly DisputeView[]; caption: string }) {
  const { t } = useTranslation('agency')
  const { money, date } = useFormats()
  return (
    <Table
      caption={caption}
      isCaptionHidden
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        {
          id: 'what',
          title: t('disputes.what'),
          cell: ({ id, reason }) => (
            <Link className="govuk-link" to={`/agency/disputes/${id}`}>
              {t(`disputes.reason.${reason as 'other'}`)}
            </Link>
          ),
        },
        { id: 'amount', title: t('disputes.amount'), isNumber: true, cell: ({ amountMicros }) => money(amountMicros) },
        { id: 'by', title: t('disputes.by'), cell: ({ decideBy }) => date(decideBy) },
        {
          id: 'state',
          title: t('disputes.state'),
          cell: ({ state }) => <span className="rm-tag">{t(`disputes.states.${state as 'open'}`)}</span>,
        },
      ]}
    />
  )
}
