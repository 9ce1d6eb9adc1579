import { type ChangeEvent, type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from './api'

export type Faults<Values> = Partial<Record<keyof Values & string, string>>

export interface FormState<Values> {
  readonly id: string
  readonly values: Values
  readonly set: (next: Partial<Values>) => void
  readonly faults: Faults<Values>
  /** What is wrong with no field in particular. */
  readonly problem: Problem | null
  readonly isBusy: boolean
  readonly submit: (event: FormEvent) => void
  readonly bind: <Name extends keyof Values & string>(
    name: Name,
  ) => { id: string; name: Name; value: Values[Name]; error?: string; onValue: (value: Values[Name]) => void }
}

/**
 * A form that keeps what was typed whatever happens. `check` finds all faults at once before anything is sent; faults that the
 * api finds go to the field whose name begins their path. `send` may itself come back with faults, where what it heard asks for more.
 */
export function useForm<Values extends object>(
  start: Values,
  {
    check,
    send,
  }: { check: (values: Values) => Faults<Values>; send: (values: Values) => Promise<Faults<Values> | void> },
): FormState<Values> {
  const id = useId()
  const [values, setValues] = useState(start)
  const [faults, setFaults] = useState<Faults<Values>>({})
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isBusy, setBusy] = useState(false)
  const set = (next: Partial<Values>) => setValues((now) => ({ ...now, ...next }))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (isBusy) return
    const found = check(values)
    setFaults(found)
    setProblem(null)
    if (Object.keys(found).length > 0) return
    setBusy(true)
    send(values)
      .then((asked) => asked && setFaults(asked))
      .catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error
        const named = error.faults.flatMap(({ path, expected }) => {
          const name = path.split(/[.[]/)[0]
          return name in start ? [[name, expected] as const] : []
        })
        setFaults(Object.fromEntries(named) as Faults<Values>)
        if (named.length === 0) setProblem(error)
      })
      .finally(() => setBusy(false))
  }
  return {
    id,
    values,
    set,
    faults,
    problem,
    isBusy,
    submit,
    bind: (name) => ({
      id: `${id}${name}`,
      name,
      value: values[name],
      error: faults[name],
      onValue: (value) => set({ [name]: value } as unknown as Partial<Values>),
    }),
  }
}

/** A form with the summary of what is wrong on top of it, which takes the focus when it appears. */
export function Form<Values extends object>({
  form,
  submit,
  children,
  isDanger = false,
}: {
  form: FormState<Values>
  submit: string
  children: ReactNode
  isDanger?: boolean
}) {
  const { t } = useTranslation('shared')
  const summary = useRef<HTMLDivElement>(null)
  const { faults, problem, id } = form
  useEffect(() => {
    if (Object.keys(faults).length > 0 || problem) summary.current?.focus()
  }, [faults, problem])
  const named = Object.entries<string | undefined>(faults)
  const said =
    problem &&
    (problem.status === 0
      ? t('problem.offline.what')
      : problem.status >= 500
        ? t('problem.broken.what')
        : problem.message)
  return (
    <form onSubmit={form.submit} noValidate className="rm-form">
      {(named.length > 0 || said) && (
        <div className="govuk-error-summary" ref={summary} tabIndex={-1} role="alert">
          <h2 className="govuk-error-summary__title">{t('form.wrong')}</h2>
          <ul className="govuk-list govuk-error-summary__list">
            {named.map(([name, message]) => (
              <li key={name}>
                <a
                  href={`#${id}${name}`}
                  onClick={(event) => {
                    event.preventDefault()
                    document.getElementById(`${id}${name}`)?.focus()
                  }}
                >
                  {message}
                </a>
              </li>
            ))}
            {said && <li>{said}</li>}
          </ul>
        </div>
      )}
      {children}
      <button
        type="submit"
        className={isDanger ? 'govuk-button govuk-button--warning' : 'govuk-button'}
        aria-disabled={form.isBusy}
      >
        {form.isBusy ? t('form.sending') : submit}
      </button>
    </form>
  )
}

interface FieldProps {
  id: string
  label: string
  hint?: ReactNode
  error?: string
}

const idsOf = ({ id, hint, error }: FieldProps) =>
  [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined

function Group({ id, label, hint, error, children }: FieldProps & { children: ReactNode }) {
  return (
    <div className={error ? 'govuk-form-group govuk-form-group--error' : 'govuk-form-group'}>
      <label className="govuk-label govuk-label--s" htmlFor={id}>
        {label}
      </label>
      <Around id={id} hint={hint} error={error} />
      {children}
    </div>
  )
}

function Around({ id, hint, error }: Omit<FieldProps, 'label'>) {
  const { t } = useTranslation('shared')
  return (
    <>
      {hint && (
        <div className="govuk-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {error && (
        <p className="govuk-error-message" id={`${id}-error`}>
          <span className="govuk-visually-hidden">{t('form.error')}</span> {error}
        </p>
      )}
    </>
  )
}

export function TextField({
  onValue,
  rows,
  suffix,
  prefix,
  width,
  type = 'text',
  inputMode,
  autoComplete = 'off',
  value,
  name,
  ...field
}: FieldProps & {
  name: string
  value: string
  onValue: (value: string) => void
  /** More than one line. */
  rows?: number
  prefix?: string
  suffix?: string
  /** In characters. */
  width?: 5 | 10 | 20
  type?: 'text' | 'date' | 'time' | 'datetime-local' | 'email'
  inputMode?: 'decimal' | 'numeric' | 'text'
  autoComplete?: string
}) {
  const shared = {
    id: field.id,
    name,
    value,
    'aria-describedby': idsOf(field),
    'aria-invalid': field.error ? true : undefined,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => onValue(event.target.value),
  }
  const fault = (block: string) => (field.error ? ` ${block}--error` : '')
  if (rows)
    return (
      <Group {...field}>
        <textarea {...shared} rows={rows} className={`govuk-textarea${fault('govuk-textarea')}`} />
      </Group>
    )
  return (
    <Group {...field}>
      <div className="govuk-input__wrapper">
        {prefix && (
          <div className="govuk-input__prefix" aria-hidden="true">
            {prefix}
          </div>
        )}
        <input
          {...shared}
          type={type}
          inputMode={inputMode}
          autoComplete={autoComplete}
          className={`govuk-input${fault('govuk-input')}${width ? ` govuk-input--width-${width}` : ''}`}
        />
        {suffix && (
          <div className="govuk-input__suffix" aria-hidden="true">
            {suffix}
          </div>
        )}
      </div>
    </Group>
  )
}

export interface Option<Value extends string> {
  readonly value: Value
  readonly label: string
  readonly hint?: ReactNode
}

export function SelectField<Value extends string>({
  options,
  onValue,
  value,
  name,
  ...field
}: FieldProps & { name: string; value: Value; options: readonly Option<Value>[]; onValue: (value: Value) => void }) {
  return (
    <Group {...field}>
      <select
        id={field.id}
        name={name}
        value={value}
        aria-describedby={idsOf(field)}
        className={`govuk-select${field.error ? ' govuk-select--error' : ''}`}
        onChange={(event) => onValue(event.target.value as Value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </Group>
  )
}

/** One of a few, each with what it means. */
export function RadioField<Value extends string>({
  options,
  onValue,
  value,
  name,
  ...field
}: FieldProps & {
  name: string
  value: Value | ''
  options: readonly Option<Value>[]
  onValue: (value: Value) => void
}) {
  return (
    <div className={field.error ? 'govuk-form-group govuk-form-group--error' : 'govuk-form-group'}>
      <fieldset className="govuk-fieldset" aria-describedby={idsOf(field)}>
        <legend className="govuk-fieldset__legend govuk-fieldset__legend--s">{field.label}</legend>
        <Around {...field} />
        <div className="govuk-radios" data-module="govuk-radios">
          {options.map((option, i) => {
            const id = i === 0 ? field.id : `${field.id}-${option.value}`
            return (
              <div className="govuk-radios__item" key={option.value}>
                <input
                  className="govuk-radios__input"
                  type="radio"
                  id={id}
                  name={`${field.id}${name}`}
                  value={option.value}
                  checked={value === option.value}
                  aria-describedby={option.hint ? `${id}-item-hint` : undefined}
                  onChange={() => onValue(option.value)}
                />
                <label className="govuk-label govuk-radios__label" htmlFor={id}>
                  {option.label}
                </label>
                {option.hint && (
                  <div className="govuk-hint govuk-radios__hint" id={`${id}-item-hint`}>
                    {option.hint}
                  </div>
                )}
              </div>
            )
          })}
        </div>
      </fieldset>
    </div>
  )
}

export function FileField({
  onValue,
  accept,
  name,
  ...field
}: Omit<FieldProps, 'value'> & {
  name: string
  value: File | null
  accept: string
  onValue: (file: File | null) => void
}) {
  const { id, label, hint, error } = field
  return (
    <Group id={id} label={label} hint={hint} error={error}>
      <input
        type="file"
        id={id}
        name={name}
        accept={accept}
        aria-describedby={idsOf(field)}
        className={`govuk-file-upload${error ? ' govuk-file-upload--error' : ''}`}
        onChange={(event) => onValue(event.target.files?.[0] ?? null)}
      />
    </Group>
  )
}
