import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams, useSearchParams } from 'react-router'
import type { FaultView, PolicyLineView, PolicyView, PolicyZone, PreviewView } from '#contracts'
import { Problem, send, useGet } from '../../shared/api'
import { Form, TextField, useForm } from '../../shared/form'
import { useMe } from '../../shared/me'
import { Notice, Page, Section } from '../../shared/page'
import { Load } from '../../shared/states'
import { startOfDay } from '../next-step'
import { EditingContext, Members } from './field'
import { Rules } from './rules'
import { changed, fieldId, type JsonObject, type Schema } from './schema'
import { ZoneEditor } from './zones'

const BASICS = [
  'name',
  'description',
  'startsAt',
  'endsAt',
  'currency',
  'timeZone',
  'jurisdiction',
  'supersedes',
  'holidays',
]
const ACCRUALS = ['caps', 'discounts', 'allowances', 'tiers', 'minimums', 'transfers', 'fuelCredits', 'taxes']
const TERMS = ['billing', 'mileage']
const PREVIEW_MS = 400
/** A policy is announced for a month; a day more is for approving it. */
const NOTICE_DAYS = 31

/** Writes a policy: a form and its document side by side, the zones on a map, and what is wrong with it as it is written. */
export default function Editor() {
  const { policy } = useParams()
  const [search] = useSearchParams()
  const { agency } = useMe()
  const base = `/v1/agencies/${agency.id}/drafts`
  const lines = useGet<readonly PolicyLineView[]>(policy ? null : base)
  const from = policy ?? search.get('from') ?? (lines.state === 'ready' ? beginning(lines.data) : null)
  const story = useGet<PolicyView>(from && `${base}/${from}`)
  const schema = useGet<Schema>('/schemas/policy.json')
  return (
    <Load of={schema} isPart={false}>
      {(of) => (
        <Load of={story} isPart={false}>
          {({ document }) => (
            <Writing
              key={from}
              schema={of}
              isNew={!policy}
              start={(policy ? document : copyOf(document)) as unknown as JsonObject}
            />
          )}
        </Load>
      )}
    </Load>
  )
}

/** A new policy begins as the one in force says, or else the latest. */
const beginning = (lines: readonly PolicyLineView[]): string | null =>
  (lines.find(({ state }) => state === 'in-force') ?? lines.at(-1))?.policy ?? null

function copyOf(document: PolicyView['document']): unknown {
  const day = new Date(Date.now() + NOTICE_DAYS * 86_400_000).toISOString().slice(0, 10)
  const kept = Object.fromEntries(Object.entries(document).filter(([name]) => name !== 'endsAt'))
  return { ...kept, id: `${document.id}-2`.slice(0, 60), startsAt: startOfDay(day, document.timeZone) }
}

function Writing({ schema, start, isNew }: { schema: Schema; start: JsonObject; isNew: boolean }) {
  const { t } = useTranslation('agency')
  const [document, setDocument] = useState(start)
  const [text, setText] = useState(() => JSON.stringify(start, null, 2))
  const [wrong, setWrong] = useState<string | null>(null)
  const preview = usePreview(document)
  const write = (next: JsonObject) => {
    setDocument(next)
    setText(JSON.stringify(next, null, 2))
    setWrong(null)
  }
  const type = (typed: string) => {
    setText(typed)
    try {
      setDocument(JSON.parse(typed) as JsonObject)
      setWrong(null)
    } catch (error) {
      setWrong((error as Error).message)
    }
  }
  const faults = useMemo(
    () =>
      new Map(
        [...(preview?.faults ?? []), ...(preview?.unpublishable ?? [])].map((fault) => [fault.path, said(fault)]),
      ),
    [preview],
  )
  const latest = useRef(document)
  latest.current = document
  const editing = useMemo(
    () => ({
      document,
      faults,
      change: (path: readonly (string | number)[], value: Parameters<typeof changed>[2]) =>
        write(changed(latest.current, path, value) as JsonObject),
    }),
    [document, faults],
  )
  const part = (only: readonly string[]) => <Members schema={schema} path={[]} value={document} only={only} />
  return (
    <Page
      title={isNew ? t('editor.newTitle') : t('editor.title', { name: String(start.name) })}
      lead={t('editor.lead')}
      back={{ to: '/agency/policies', label: t('policy.back') }}
      wide
    >
      <EditingContext value={editing}>
        <div className="rm-editor">
          <div className="rm-editor__form">
            <Section title={t('editor.basics')}>
              {isNew && (
                <TextField
                  id={fieldId('id')}
                  name="id"
                  label={t('editor.id')}
                  hint={t('editor.idHint')}
                  width={20}
                  error={faults.get('id')}
                  value={String(document.id ?? '')}
                  onValue={(id) => write({ ...document, id })}
                />
              )}
              {part(BASICS)}
            </Section>
            <Section title={t('editor.zones')}>
              <ZoneEditor
                zones={(document.zones ?? {}) as unknown as Record<string, PolicyZone>}
                faults={faults}
                onChange={(zones) => write({ ...latest.current, zones: zones as unknown as JsonObject })}
              />
            </Section>
            <Section title={t('editor.rules')}>
              <Rules schema={schema.properties!.rules} />
            </Section>
            <Section title={t('editor.accruals')}>{part(ACCRUALS)}</Section>
            <Section title={t('editor.terms')}>{part(TERMS)}</Section>
          </div>
          <div className="rm-editor__side">
            <LiveCheck preview={preview} />
            <Section title={t('editor.json')}>
              <div className={wrong ? 'govuk-form-group govuk-form-group--error' : 'govuk-form-group'}>
                <label className="govuk-visually-hidden" htmlFor="policy-json">
                  {t('editor.jsonLabel')}
                </label>
                {wrong && (
                  <p className="govuk-error-message" id="policy-json-error">
                    {t('editor.jsonWrong', { what: wrong })}
                  </p>
                )}
                <textarea
                  id="policy-json"
                  className="govuk-textarea rm-json"
                  spellCheck={false}
                  rows={28}
                  value={text}
                  aria-invalid={wrong ? true : undefined}
                  aria-describedby={wrong ? 'policy-json-error' : undefined}
                  onChange={({ target }) => type(target.value)}
                />
              </div>
            </Section>
          </div>
        </div>
      </EditingContext>
      <Save document={document} isReadable={wrong === null} />
    </Page>
  )
}

const said = ({ expected, found }: FaultView): string => `${expected}; ${found}`

/** What the api says of the document as it is, a little after the last change. */
function usePreview(document: JsonObject): PreviewView | null {
  const { agency } = useMe()
  const { language } = useTranslation().i18n
  const [preview, setPreview] = useState<PreviewView | null>(null)
  useEffect(() => {
    let isStale = false
    const timer = setTimeout(() => {
      const id = typeof document.id === 'string' && document.id ? document.id : 'unnamed'
      const path = `/v1/agencies/${agency.id}/drafts/${encodeURIComponent(id)}/preview?language=${language}`
      send<PreviewView>('POST', path, document)
        .then((found) => isStale || setPreview(found))
        .catch((error: unknown) => {
          // The last answer stands until the next: saving says what is wrong for good.
          if (!(error instanceof Problem)) throw error
        })
    }, PREVIEW_MS)
    return () => {
      isStale = true
      clearTimeout(timer)
    }
  }, [document, agency.id, language])
  return preview
}

function LiveCheck({ preview }: { preview: PreviewView | null }) {
  const { t } = useTranslation('agency')
  return (
    <Section title={t('editor.check')}>
      <div role="status">
        {!preview ? (
          <Notice>{t('editor.checking')}</Notice>
        ) : preview.faults.length > 0 ? (
          <Notice kind="warning" title={t('editor.faults', { count: preview.faults.length })}>
            <FaultList faults={preview.faults} />
          </Notice>
        ) : (
          <Notice kind="success">{t('editor.fine')}</Notice>
        )}
        {preview && preview.unpublishable.length > 0 && (
          <Notice kind="warning" title={t('editor.later')}>
            <FaultList faults={preview.unpublishable} />
          </Notice>
        )}
        {preview && preview.questions.length > 0 && (
          <Notice title={t('editor.questions')}>
            <ul className="govuk-list govuk-list--bullet">
              {preview.questions.map(({ path, question }) => (
                <li key={path}>{question}</li>
              ))}
            </ul>
          </Notice>
        )}
      </div>
      {preview?.words && (
        <details className="govuk-details">
          <summary className="govuk-details__summary">
            <span className="govuk-details__summary-text">{t('editor.says')}</span>
          </summary>
          <ul className="govuk-list govuk-list--bullet govuk-details__text">
            {preview.words.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </details>
      )}
    </Section>
  )
}

/** Faults, each with the way to the nearest field that shows it. */
function FaultList({ faults }: { faults: readonly FaultView[] }) {
  return (
    <ul className="govuk-list govuk-list--bullet">
      {faults.map((fault, i) => (
        <li key={i}>
          <a
            href={`#${fieldId(fault.path)}`}
            onClick={(event) => {
              event.preventDefault()
              show(fault.path)
            }}
          >
            {fault.path || '/'}
          </a>
          : {said(fault)}
        </li>
      ))}
    </ul>
  )
}

function show(path: string): void {
  for (let at = path; at; at = at.replace(/(\.[^.[\]]*|\[[^\]]*\])$|^[^.[\]]*$/, '')) {
    const found = window.document.getElementById(fieldId(at))
    if (!found) continue
    for (let up: Element | null = found; up; up = up.parentElement) if (up instanceof HTMLDetailsElement) up.open = true
    found.scrollIntoView({ block: 'center' })
    return found.focus()
  }
}

function Save({ document, isReadable }: { document: JsonObject; isReadable: boolean }) {
  const { t } = useTranslation('agency')
  const { agency } = useMe()
  const [saved, setSaved] = useState<PolicyView | null>(null)
  const form = useForm(
    { reason: '' },
    {
      check: ({ reason }) => ({
        ...(reason.trim() ? {} : { reason: t('editor.reasonMissing') }),
        ...(isReadable ? {} : { reason: t('editor.jsonWrong', { what: '' }) }),
      }),
      send: async ({ reason }) => {
        setSaved(null)
        const query = new URLSearchParams({ reason }).toString()
        setSaved(
          await send<PolicyView>(
            'PUT',
            `/v1/agencies/${agency.id}/drafts/${encodeURIComponent(String(document.id))}?${query}`,
            document,
          ),
        )
      },
    },
  )
  return (
    <div className="rm-card">
      {saved && (
        <Notice kind="success" title={t('editor.saved', { revision: saved.revisions.length })}>
          <Link className="govuk-link" to={`/agency/policies/${saved.policy}`}>
            {t('editor.toPolicy')}
          </Link>
        </Notice>
      )}
      <Form form={form} submit={t('editor.save')}>
        <TextField label={t('editor.reason')} rows={2} {...form.bind('reason')} />
      </Form>
    </div>
  )
}
