import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { OwnDevice } from '#contracts'
import { useGet } from '../shared/api'
import { useFormats } from '../shared/format'
import { Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { type VehicleRow } from './documents'

export function Vehicles() {
  const { t } = useTranslation('citizen')
  const vehicles = useGet<VehicleRow[]>('/v1/vehicles')
  return (
    <Page title={t('vehicles.title')} lead={t('vehicles.lead')}>
      <Load of={vehicles}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={t('vehicles.none')}>{t('vehicles.noneNote')}</Empty>
          ) : (
            <>
              <div className="rm-columns">
                {rows.map(({ vehicle, name, method }) => (
                  <article className="rm-card" key={vehicle}>
                    <h2 className="govuk-heading-m">
                      <Link className="govuk-link" to={`/my/vehicles/${vehicle}`}>
                        {name}
                      </Link>
                    </h2>
                    <p className="govuk-body">
                      <span className="rm-tag">{t(`method.is.${method}`)}</span>
                    </p>
                    <p className="govuk-body">{t(`method.means.${method}`)}</p>
                  </article>
                ))}
              </div>
              <Section title={t('devices.title')} hint={t('devices.hint')}>
                <Devices of={null} />
              </Section>
            </>
          )
        }
      </Load>
    </Page>
  )
}

/** The devices of one vehicle, or of all. */
export function Devices({ of }: { of: string | null }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const devices = useGet<OwnDevice[]>('/v1/me/devices')
  return (
    <Load of={devices}>
      {(all) => {
        const rows = all.filter(({ vehicle }) => of === null || vehicle === of)
        return rows.length === 0 ? (
          <Empty title={t('devices.none')} />
        ) : (
          <Table
            caption={t('devices.title')}
            isCaptionHidden
            rows={rows}
            keyOf={({ device }) => device}
            columns={[
              { id: 'device', title: t('devices.device'), cell: ({ device }) => device },
              { id: 'state', title: t('statements.state'), cell: ({ state }) => t(`devices.is.${state}`) },
              {
                id: 'heard',
                title: t('devices.heard'),
                cell: ({ lastBatchAt }) => (lastBatchAt === null ? t('devices.never') : format.moment(lastBatchAt)),
              },
            ]}
          />
        )
      }}
    </Load>
  )
}
