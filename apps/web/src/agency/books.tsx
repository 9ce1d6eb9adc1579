import { useTranslation } from 'react-i18next'
import type { DashboardView } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'

/** `GET /v1/ledger/heads`, which is public. */
interface Heads {
  readonly at: number
  readonly heads: readonly { readonly shard: number; readonly length: number; readonly hash: string }[]
}
/** `GET /v1/agencies/{agency}/periods/{month}`, which is public. */
interface Period {
  readonly state: string
  readonly sealedAt: number | null
  readonly root: string | null
}

/** What holds the books: the root of each closed month and the heads of the ledger, to be held against what is kept elsewhere. */
export function Books() {
  const { t } = useTranslation('agency')
  const { agency } = useMe()
  const board = useGet<DashboardView>(`/v1/agencies/${agency.id}/dashboard`)
  const heads = useGet<Heads>('/v1/ledger/heads')
  return (
    <Page title={t('books.title')} lead={t('books.lead')} wide>
      <Section title={t('books.months')} hint={t('books.monthsHow')}>
        <Load of={board}>
          {({ periods }) =>
            periods.length === 0 ? (
              <Empty title={t('books.none')} />
            ) : (
              <div className="rm-columns">
                {[...periods].reverse().map(({ month }) => (
                  <Month key={month} month={month} />
                ))}
              </div>
            )
          }
        </Load>
      </Section>
      <Section title={t('books.heads')} hint={t('books.headsHow')}>
        <Load of={heads}>{(data) => <HeadsTable data={data} />}</Load>
      </Section>
      <Section title={t('books.check')}>
        <ol className="govuk-list govuk-list--number">
          <li>
            {t('books.checkHeads')} <code>roadmeter verify ledger --heads heads.jsonl</code>
          </li>
          <li>
            {t('books.checkInvariants')} <code>roadmeter reconcile</code>
          </li>
          <li>
            {t('books.checkBills')} <code>roadmeter verify statement.json</code>
          </li>
        </ol>
      </Section>
    </Page>
  )
}

function Month({ month }: { month: string }) {
  const { t } = useTranslation('agency')
  const { agency } = useMe()
  const format = useFormats()
  const period = useGet<Period>(`/v1/agencies/${agency.id}/periods/${month}`)
  return (
    <div className="rm-card">
      <h3 className="govuk-heading-s">{format.month(month)}</h3>
      <Load of={period}>
        {({ state, sealedAt, root }) => (
          <>
            <p className="govuk-body">
              <span className="rm-tag">{t(`dashboard.periods.${state as 'open'}`)}</span>{' '}
              {sealedAt !== null && t('books.sealed', { moment: format.moment(sealedAt) })}
            </p>
            <p className="govuk-body">{root ? <code className="rm-digest">{root}</code> : t('books.noRoot')}</p>
          </>
        )}
      </Load>
    </div>
  )
}

function HeadsTable({ data: { at, heads } }: { data: Heads }) {
  const { t } = useTranslation('agency')
  const { moment, number } = useFormats()
  const written = heads.filter(({ length }) => length > 0)
  if (written.length === 0) return <Empty title={t('books.empty')} />
  return (
    <>
      <p className="govuk-body rm-muted">{t('books.asOf', { moment: moment(at) })}</p>
      <Table
        caption={t('books.heads')}
        isCaptionHidden
        rows={written}
        keyOf={({ shard }) => shard}
        columns={[
          { id: 'shard', title: t('books.shard'), cell: ({ shard }) => shard },
          { id: 'length', title: t('books.entries'), isNumber: true, cell: ({ length }) => number(length) },
          { id: 'hash', title: t('books.head'), cell: ({ hash }) => <code className="rm-digest">{hash}</code> },
        ]}
      />
    </>
  )
}
