import { useTranslation } from 'react-i18next'
import { useMe } from './me'
import { Page } from './page'

/** A room of which only the server-rendered pages are built. */
export function Room() {
  const { t, i18n } = useTranslation('shared')
  const me = useMe()
  return (
    <Page title={me.agency.name}>
      <p className="govuk-body">
        <a className="govuk-link" href={`/plain?lang=${i18n.language}`}>
          {t('nav.statements')}
        </a>
      </p>
    </Page>
  )
}
