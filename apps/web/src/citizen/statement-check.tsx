import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { get, Problem } from '../shared/api'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Notice, Section } from '../shared/page'
import { Failed } from '../shared/states'

/** What `/verify.js` finds (infra/verify-page.js): the page /verify runs the same. */
interface Checked {
  readonly faults: readonly { readonly path: string; readonly expected: string; readonly found: string }[]
  readonly journeys: number
  readonly ms: number
  readonly digest: string
  readonly place: {
    readonly index: number
    readonly size: number
    readonly root: string
    readonly isUnder: boolean
  } | null
}
interface Bundle {
  readonly statement: unknown
  readonly policies: readonly unknown[]
  readonly proof: unknown
}
interface Checker {
  readonly check: (bundle: Bundle & { readonly root: string | null }) => Checked
}
// A file of its own, fetched when somebody asks: it brings the policies' and the statement's own code, which the portal has none of.
const CHECKER = '/verify.js'

/** A bill that checks itself, in the browser of whoever reads it: every charge again, and its place under the root of the month. */
export function StatementCheck({ id, month, retentionDays }: { id: string; month: string; retentionDays?: number }) {
  const { t } = useTranslation('citizen')
  const { agency } = useMe()
  const [checked, setChecked] = useState<Checked | Problem | 'busy' | null>(null)
  const bundle = `/v1/statements/${id}/bundle`
  const check = async () => {
    setChecked('busy')
    try {
      const [{ check }, held, period] = await Promise.all([
        import(/* @vite-ignore */ CHECKER) as Promise<Checker>,
        get<Bundle>(bundle),
        get<{ root: string | null }>(`/v1/agencies/${agency.id}/periods/${month}`).catch(() => ({ root: null })),
      ])
      setChecked(check({ ...held, root: period.root }))
    } catch (error) {
      setChecked(error instanceof Problem ? error : new Problem(0, String(error), 'CHECKER'))
    }
  }
  return (
    <Section title={t('extras.check')} hint={t('extras.checkHint')}>
      <p className="rm-actions">
        <button
          type="button"
          className="govuk-button"
          aria-disabled={checked === 'busy'}
          onClick={() => checked !== 'busy' && void check()}
        >
          {checked === 'busy' ? t('extras.checking') : t('extras.checkNow')}
        </button>
        <a className="govuk-link" href={bundle} download={`statement-${month}-with-proof.json`}>
          {t('extras.checkBundle')}
        </a>
        <a className="govuk-link" href="/verify">
          {t('extras.checkPage')}
        </a>
      </p>
      {checked instanceof Problem ? (
        <Failed problem={checked} reload={() => void check()} isPart />
      ) : (
        checked && checked !== 'busy' && <Told checked={checked} />
      )}
      <p className="govuk-body rm-muted">
        {retentionDays === undefined ? t('extras.kept') : t('extras.destroyed', { count: retentionDays })}
      </p>
    </Section>
  )
}

function Told({ checked: { faults, journeys, ms, place } }: { checked: Checked }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const isGood = faults.length === 0 && (place?.isUnder ?? true)
  return (
    <Notice kind={isGood ? 'success' : 'warning'} title={isGood ? t('extras.good') : t('extras.bad')}>
      <ul className="govuk-list govuk-list--bullet">
        {faults.length === 0 && (
          <li>{t('extras.addsUp', { journeys: format.number(journeys), ms: format.number(ms) })}</li>
        )}
        {faults.map(({ path, expected, found }) => (
          <li key={path}>
            <code>{path}</code>: {expected}, {found}
          </li>
        ))}
        <li>
          {place
            ? t(place.isUnder ? 'extras.under' : 'extras.notUnder', { index: place.index + 1, size: place.size })
            : t('extras.noProof')}{' '}
          {place && <code className="rm-digest">{place.root}</code>}
        </li>
      </ul>
    </Notice>
  )
}
