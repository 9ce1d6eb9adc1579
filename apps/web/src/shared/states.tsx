import { type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { type Problem, type Resource } from './api'
import { Page } from './page'

export function Loading() {
  const { t } = useTranslation('shared')
  return (
    <p className="rm-loading" role="status">
      <span className="rm-loading__road" aria-hidden="true" />
      {t('loading')}
    </p>
  )
}

/** Nothing is there, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="rm-empty">
      <p className="govuk-heading-s">{title}</p>
      {children && <div className="govuk-body">{children}</div>}
    </div>
  )
}

type Kind = 'offline' | 'forbidden' | 'missing' | 'busy' | 'broken' | 'refused'
const KINDS: Readonly<Record<number, Kind>> = {
  0: 'offline',
  403: 'forbidden',
  404: 'missing',
  429: 'busy',
  503: 'busy',
}

/** What went wrong and what to do about it: as a whole page, or in the place of one part of it. */
export function Failed({
  problem,
  reload,
  isPart = false,
}: {
  problem: Problem
  reload?: () => void
  isPart?: boolean
}) {
  const { t } = useTranslation('shared')
  const kind: Kind = KINDS[problem.status] ?? (problem.status >= 500 ? 'broken' : 'refused')
  const body = (
    <>
      <p className="govuk-body">{kind === 'refused' ? problem.message : t(`problem.${kind}.what`)}</p>
      <p className="govuk-body">{t(`problem.${kind}.todo`)}</p>
      <p className="rm-actions">
        {reload && kind !== 'missing' && kind !== 'forbidden' && (
          <button type="button" className="govuk-button" onClick={reload}>
            {t('tryAgain')}
          </button>
        )}
        <Link className="govuk-link" to="/">
          {t('toStart')}
        </Link>
      </p>
    </>
  )
  if (!isPart) return <Page title={t(`problem.${kind}.title`)}>{body}</Page>
  return (
    <div className="rm-empty" role="alert">
      <p className="govuk-heading-s">{t(`problem.${kind}.title`)}</p>
      {body}
    </div>
  )
}

export function NoSuchPage() {
  const { t } = useTranslation('shared')
  return (
    <Page title={t('problem.missing.title')}>
      <p className="govuk-body">{t('problem.missing.what')}</p>
      <p className="govuk-body">{t('problem.missing.todo')}</p>
      <Link className="govuk-link" to="/">
        {t('toStart')}
      </Link>
    </Page>
  )
}

export function SignIn({ isExpired }: { isExpired: boolean }) {
  const { t } = useTranslation('shared')
  return (
    <Page title={t(isExpired ? 'signIn.expired' : 'signIn.title')} lead={t('signIn.lead')}>
      {isExpired && <p className="govuk-body">{t('signIn.kept')}</p>}
      <p className="govuk-body">{t('signIn.how')}</p>
      <p className="rm-actions">
        <a
          className="govuk-button"
          href={`/auth/login?return=${encodeURIComponent(location.pathname + location.search)}`}
        >
          {t('signIn.button')}
        </a>
        <a className="govuk-link" href="/verify">
          {t('verifyLink')}
        </a>
      </p>
    </Page>
  )
}

/** Shows what a resource holds, and until then or instead of it the state that it is in. */
export function Load<T>({
  of,
  isPart = true,
  children,
}: {
  of: Resource<T>
  isPart?: boolean
  children: (data: T) => ReactNode
}) {
  if (of.state === 'loading') return <Loading />
  if (of.state === 'failed') return <Failed problem={of.problem} reload={of.reload} isPart={isPart} />
  return children(of.data)
}
