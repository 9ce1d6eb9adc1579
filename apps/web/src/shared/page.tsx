import { type ReactNode, useEffect, useRef } from 'react'
import { Link, useLocation } from 'react-router'

/** Address of the page that was shown last: going to another moves the focus to its heading, as loading a page would. */
let shown: string | null = null

/** A page: one heading that says where one is, and what comes below it. */
export function Page({
  title,
  lead,
  back,
  actions,
  wide = false,
  children,
}: {
  title: string
  lead?: ReactNode
  back?: { to: string; label: string }
  actions?: ReactNode
  /** For maps and tables beside each other. */
  wide?: boolean
  children?: ReactNode
}) {
  const { pathname } = useLocation()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} - Roadmeter`
  }, [title])
  useEffect(() => {
    if (shown !== null && shown !== pathname) {
      heading.current?.focus({ preventScroll: true })
      scrollTo(0, 0)
    }
    shown = pathname
  }, [pathname])
  return (
    <div className={wide ? 'rm-page rm-page--wide' : 'rm-page'}>
      {back && (
        <Link className="govuk-back-link" to={back.to}>
          {back.label}
        </Link>
      )}
      <div className="rm-page__head">
        <h1 className="govuk-heading-l" tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {actions && <div className="rm-actions">{actions}</div>}
      </div>
      {lead && <p className="govuk-body-l rm-lead">{lead}</p>}
      {children}
    </div>
  )
}

/** A part of a page with a heading of its own. */
export function Section({ title, children, hint }: { title: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <section className="rm-section">
      <h2 className="govuk-heading-m">{title}</h2>
      {hint && <p className="govuk-body rm-muted">{hint}</p>}
      {children}
    </section>
  )
}

/** A figure with its name: big, and readable as a pair. */
export function Figure({ name, value, note }: { name: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="rm-figure">
      <dt>{name}</dt>
      <dd>
        <span className="rm-figure__value">{value}</span>
        {note && <span className="rm-figure__note">{note}</span>}
      </dd>
    </div>
  )
}
export const Figures = ({ children }: { children: ReactNode }) => <dl className="rm-figures">{children}</dl>

/** Says that something was done, or that something should be known; read out when it appears. */
export function Notice({
  kind = 'info',
  title,
  children,
}: {
  kind?: 'info' | 'success' | 'warning'
  title?: string
  children?: ReactNode
}) {
  return (
    <div className={`rm-notice rm-notice--${kind}`} role={kind === 'info' ? undefined : 'status'}>
      {title && <p className="rm-notice__title">{title}</p>}
      {children && <div className="govuk-body">{children}</div>}
    </div>
  )
}
