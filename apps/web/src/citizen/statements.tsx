import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { Page } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { type StatementRow } from './documents'

export function Statements() {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const statements = useGet<StatementRow[]>('/v1/statements')
  return (
    <Page title={t('statements.title')} lead={t('statements.lead')}>
      <Load of={statements}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={t('statements.none')}>{t('statements.noneNote')}</Empty>
          ) : (
            <Table
              caption={t('statements.caption')}
              isCaptionHidden
              rows={rows}
              keyOf={({ id }) => id}
              columns={[
                {
                  id: 'month',
                  title: t('statements.month'),
                  cell: ({ id, month }) => (
                    <Link className="govuk-link" to={`/my/statements/${id}`}>
                      {format.month(month)}
                    </Link>
                  ),
                },
                {
                  id: 'trips',
                  title: t('day.trips'),
                  isNumber: true,
                  cell: ({ totals }) => format.number(totals.trips),
                },
                {
                  id: 'mm',
                  title: t('drive.distance'),
                  isNumber: true,
                  cell: ({ totals }) => format.distance(Number(totals.chargedMm) + Number(totals.freeMm)),
                },
                {
                  id: 'due',
                  title: t('statements.due'),
                  isNumber: true,
                  cell: ({ dueMicros }) => format.money(dueMicros),
                },
                { id: 'on', title: t('statements.dueOn'), cell: ({ dueOn }) => format.date(dueOn) },
                {
                  id: 'state',
                  title: t('statements.state'),
                  cell: ({ state }) => (
                    <span className={`rm-tag rm-tag--${state === 'sealed' ? 'good' : 'warn'}`}>
                      {t(`statements.is.${state}`)}
                    </span>
                  ),
                },
              ]}
            />
          )
        }
      </Load>
    </Page>
  )
}
