import { type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { NavLink } from 'react-router'
import { send } from './api'
import mark from './style/mark.svg'
import { SignedIn, useMaybeMe } from './me'
import { NAV } from './nav'
import { chooseTheme, THEMES, type Theme, useTheme } from './theme'
import { type Language, LANGUAGES, speak } from './words'

/** Head and foot of every page; what the head leads to depends on who is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation('shared')
  const me = useMaybeMe()
  const theme = useTheme()
  return (
    <div className="rm-shell">
      <a href="#main" className="govuk-skip-link">
        {t('skip')}
      </a>
      <header className="rm-header">
        <div className="rm-header__in">
          <NavLink to="/" className="rm-header__name">
            <img src={mark} alt="" width="32" height="32" />
            <span>{me?.agency.name ?? 'Roadmeter'}</span>
          </NavLink>
          {me && (
            <p className="rm-header__who">
              {me.account?.name ?? me.name ?? t(`role.${me.role}`)}
              <button type="button" className="rm-link" onClick={signOut}>
                {t('signOut')}
              </button>
            </p>
          )}
        </div>
        {me && NAV[me.role].length > 0 && (
          <nav className="rm-nav" aria-label={t('menu')}>
            {NAV[me.role].map(([to, name]) => (
              <NavLink key={to} to={to} end={to.split('/').length === 2} className="rm-nav__link">
                {t(`nav.${name}`)}
              </NavLink>
            ))}
          </nav>
        )}
      </header>
      <main id="main" className="rm-main" tabIndex={-1}>
        <SignedIn>{children}</SignedIn>
      </main>
      <footer className="rm-footer">
        <div className="rm-footer__in">
          <div>
            <p>{t('privacy')}</p>
            <p className="rm-footer__links">
              <a href="/verify">{t('verifyLink')}</a>
              {me && <a href={`/v1/agencies/${me.agency.id}/policies`}>{t('tariff')}</a>}
              <a href="/docs">{t('api')}</a>
            </p>
            <p className="rm-footer__small">{t('madeWith')}</p>
          </div>
          <div className="rm-footer__choices">
            <label>
              {t('language')}
              <select value={i18n.language} onChange={(event) => speak(event.target.value as Language)}>
                {Object.entries(LANGUAGES).map(([code, name]) => (
                  <option key={code} value={code} lang={code}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
            <label>
              {t('theme.name')}
              <select value={theme} onChange={(event) => chooseTheme(event.target.value as Theme)}>
                {THEMES.map((name) => (
                  <option key={name} value={name}>
                    {t(`theme.${name}`)}
                  </option>
                ))}
              </select>
            </label>
          </div>
        </div>
      </footer>
    </div>
  )
}

async function signOut(): Promise<void> {
  await send('POST', '/auth/logout')
  location.assign('/')
}
