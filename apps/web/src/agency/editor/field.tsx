import i18next from 'i18next'
import { createContext, type ReactNode, useContext, useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { TextField, SelectField } from '../../shared/form'
import {
  emptyOf,
  fieldId,
  isObject,
  type Json,
  type JsonObject,
  pathText,
  plain,
  type Schema,
  variantFor,
  variantName,
  variantsOf,
} from './schema'

export type Path = readonly (string | number)[]

/** What every field needs: the document, how to change it, and what is wrong where. */
export interface Editing {
  readonly document: JsonObject
  readonly change: (path: Path, value: Json | undefined) => void
  readonly faults: ReadonlyMap<string, string>
}
export const EditingContext = createContext<Editing>({ document: {}, change: () => undefined, faults: new Map() })

export const labelOf = (name: string): string =>
  i18next.exists(`agency:field.${name}`) ? i18next.t(`agency:field.${name}` as 'loading') : name

/** What is wrong with a field, or within a list that is one field. */
const faultAt = (faults: ReadonlyMap<string, string>, path: string): string | undefined =>
  faults.get(path) ?? [...faults].find(([at]) => at.startsWith(`${path}[`))?.[1]

/** The field of one member of the policy, whatever its schema says that it is. */
export function SchemaField({
  schema: given,
  path,
  value,
  label,
}: {
  schema: Schema
  path: Path
  value: Json | undefined
  label: string
}) {
  const { change, faults } = useContext(EditingContext)
  const { t } = useTranslation('agency')
  const optionWords = useOptionWords()
  const text = pathText(path)
  const error = faultAt(faults, text)
  const variants = variantsOf(given)
  if (variants) return <Variants variants={variants} path={path} value={value} label={label} error={faults.get(text)} />
  const schema = plain(given)
  const field = { id: fieldId(text), name: text, label, error }
  if (schema.const !== undefined) return null
  if (schema.enum)
    return (
      <SelectField
        {...field}
        value={String(value ?? '')}
        options={[
          ...(schema.enum.includes(String(value)) ? [] : [{ value: '', label: t('editor.choose') }]),
          ...schema.enum.map((option) => ({ value: option, label: optionWords(option) })),
        ]}
        onValue={(chosen) => change(path, chosen)}
      />
    )
  if (schema.type === 'array' && schema.items?.enum)
    return (
      <Choices {...field} options={schema.items.enum} value={listOf(value)} onValue={(list) => change(path, list)} />
    )
  if (schema.type === 'array' && schema.items?.type === 'object')
    return <ObjectList schema={schema.items} path={path} value={value} label={label} error={faults.get(text)} />
  if (schema.type === 'array')
    return (
      <ListText
        key={text}
        {...field}
        hint={t('editor.list')}
        value={listOf(value)}
        onValue={(list) => change(path, list)}
      />
    )
  if (schema.type === 'object' && schema.properties)
    return <ObjectField schema={schema} path={path} value={value} label={label} error={faults.get(text)} />
  if (schema.type === 'object')
    return (
      <ListText
        key={text}
        {...field}
        hint={t('editor.list')}
        value={Object.entries(isObject(value) ? value : {}).map(([name, part]) => `${name}: ${String(part)}`)}
        onValue={(list) => change(path, partsOf(list))}
      />
    )
  if (schema.type === 'integer' || schema.type === 'number')
    return (
      <TextField
        {...field}
        width={10}
        inputMode="decimal"
        value={value === undefined ? '' : String(value)}
        onValue={(typed) => change(path, typed.trim() !== '' && Number.isFinite(Number(typed)) ? Number(typed) : typed)}
      />
    )
  return (
    <TextField
      {...field}
      width={(schema.maxLength ?? 999) > 200 ? undefined : 20}
      rows={(schema.maxLength ?? 0) > 500 ? 3 : undefined}
      value={typeof value === 'string' ? value : value === undefined ? '' : String(value)}
      onValue={(typed) => change(path, typed)}
    />
  )
}

const listOf = (value: Json | undefined): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
const partsOf = (list: readonly string[]): JsonObject =>
  Object.fromEntries(
    list.map((item) => {
      const [name, part = ''] = item.split(':').map((piece) => piece.trim())
      return [name, /^\d+$/.test(part) ? Number(part) : part]
    }),
  )

/** Typed text that is a list apart by commas: it stays as it is typed, a comma at its end too. */
function ListText({
  value,
  onValue,
  ...field
}: {
  id: string
  name: string
  label: string
  hint: string
  error?: string
  value: readonly string[]
  onValue: (list: readonly string[]) => void
}) {
  const [typed, setTyped] = useState<string | null>(null)
  const split = (text: string) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean)
  // What was changed elsewhere, in the document, holds.
  const shown = typed !== null && split(typed).join() === value.join() ? typed : value.join(', ')
  return (
    <TextField
      {...field}
      value={shown}
      onValue={(text) => {
        setTyped(text)
        onValue(split(text))
      }}
    />
  )
}

/** What the document's schema lets one choose, in the reader's words. */
function useOptionWords(): (option: string) => string {
  const { t, i18n } = useTranslation(['agency', 'shared'])
  return (option) =>
    i18n.exists(`shared:roadClass.${option}`)
      ? t(`shared:roadClass.${option as 'motorway'}`)
      : i18n.exists(`agency:options.${option}`)
        ? t(`options.${option as 'car'}`)
        : option
}

function Choices({
  id,
  label,
  error,
  options,
  value,
  onValue,
}: {
  id: string
  label: string
  error?: string
  options: readonly string[]
  value: readonly string[]
  onValue: (list: readonly string[]) => void
}) {
  const optionWords = useOptionWords()
  return (
    <div className={error ? 'govuk-form-group govuk-form-group--error' : 'govuk-form-group'}>
      <fieldset className="govuk-fieldset">
        <legend className="govuk-fieldset__legend govuk-fieldset__legend--s">{label}</legend>
        {error && <p className="govuk-error-message">{error}</p>}
        <div className="govuk-checkboxes govuk-checkboxes--small rm-choices">
          {options.map((option, i) => (
            <div className="govuk-checkboxes__item" key={option}>
              <input
                className="govuk-checkboxes__input"
                type="checkbox"
                id={i === 0 ? id : `${id}-${option}`}
                checked={value.includes(option)}
                onChange={({ target }) =>
                  onValue(options.filter((one) => (one === option ? target.checked : value.includes(one))))
                }
              />
              <label className="govuk-label govuk-checkboxes__label" htmlFor={i === 0 ? id : `${id}-${option}`}>
                {optionWords(option)}
              </label>
            </div>
          ))}
        </div>
      </fieldset>
    </div>
  )
}

interface Compound {
  readonly path: Path
  readonly value: Json | undefined
  readonly label: string
  readonly error?: string
}

function Group({ path, label, error, children }: Omit<Compound, 'value'> & { children: ReactNode }) {
  return (
    <fieldset className="govuk-fieldset rm-fields" id={fieldId(pathText(path))} tabIndex={-1}>
      <legend className="govuk-fieldset__legend govuk-fieldset__legend--s">{label}</legend>
      {error && <p className="govuk-error-message">{error}</p>}
      {children}
    </fieldset>
  )
}

/** One of several shapes: which, and its members. */
function Variants({ variants, path, value, label, error }: Compound & { variants: readonly Schema[] }) {
  const { change } = useContext(EditingContext)
  const chosen = variantFor(variants, value)
  const id = fieldId(pathText(path))
  return (
    <div className="rm-pair">
      <SelectField
        id={id}
        name={id}
        label={label}
        error={error}
        value={variantName(chosen)}
        options={variants.map((variant) => ({ value: variantName(variant), label: labelOf(variantName(variant)) }))}
        onValue={(name) => change(path, emptyOf(variants.find((variant) => variantName(variant) === name)!))}
      />
      <Members schema={chosen} path={path} value={value} />
    </div>
  )
}

export function ObjectField({ schema, ...of }: Compound & { schema: Schema }) {
  return (
    <Group {...of}>
      <Members schema={schema} path={of.path} value={of.value} />
    </Group>
  )
}

/** The members of an object: those that it has or must have; others can be added and taken out again. */
export function Members({
  schema,
  path,
  value,
  only,
}: {
  schema: Schema
  path: Path
  value: Json | undefined
  only?: readonly string[]
}) {
  const { change } = useContext(EditingContext)
  const { t } = useTranslation('agency')
  const all = Object.entries(schema.properties ?? {}).filter(([name]) => !only || only.includes(name))
  const object = isObject(value) ? value : {}
  const must = (name: string) => schema.required?.includes(name) && schema.properties![name].default === undefined
  const shown = all.filter(([name, { const: fixed }]) => fixed === undefined && (name in object || must(name)))
  const absent = all.filter(([name, { const: fixed }]) => fixed === undefined && !(name in object) && !must(name))
  return (
    <>
      {shown.map(([name, member]) => (
        <div className="rm-member" key={name}>
          <SchemaField schema={member} path={[...path, name]} value={object[name]} label={labelOf(name)} />
          {!must(name) && (
            <button
              type="button"
              className="rm-link rm-member__remove"
              onClick={() => change([...path, name], undefined)}
            >
              {t('editor.remove')} <span className="govuk-visually-hidden">{labelOf(name)}</span>
            </button>
          )}
        </div>
      ))}
      {absent.length > 0 && (
        <AddMember
          what={path.length > 0 ? labelOf(String(path.at(-1))) : ''}
          names={absent.map(([name]) => name)}
          add={(name) => change([...path, name], emptyOf(schema.properties![name]))}
        />
      )}
    </>
  )
}

function AddMember({ what, names, add }: { what: string; names: readonly string[]; add: (name: string) => void }) {
  const { t } = useTranslation('agency')
  const id = useId()
  return (
    <p className="rm-add">
      <label htmlFor={id} className="govuk-visually-hidden">
        {t('editor.addWhat', { what })}
      </label>
      <select id={id} className="govuk-select" value="" onChange={({ target }) => target.value && add(target.value)}>
        <option value="">+ {t('editor.add')}</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {labelOf(name)}
          </option>
        ))}
      </select>
    </p>
  )
}

/** A list of objects, each in a box of its own. */
function ObjectList({ schema, path, value, label, error }: Compound & { schema: Schema }) {
  const { change } = useContext(EditingContext)
  const { t } = useTranslation('agency')
  const items = Array.isArray(value) ? (value as readonly Json[]) : []
  return (
    <Group path={path} label={label} error={error}>
      {items.map((item, i) => {
        const name = (isObject(item) && typeof item.name === 'string' && item.name) || t('editor.item', { n: i + 1 })
        return (
          <div className="rm-box" key={i}>
            <Members schema={schema} path={[...path, i]} value={item} />
            <button type="button" className="rm-link" onClick={() => change([...path, i], undefined)}>
              {t('editor.remove')} <span className="govuk-visually-hidden">{name}</span>
            </button>
          </div>
        )
      })}
      <button
        type="button"
        className="govuk-button govuk-button--secondary rm-small"
        onClick={() => change(path, [...items, emptyOf(schema)])}
      >
        {t('editor.add')} <span className="govuk-visually-hidden">{label}</span>
      </button>
    </Group>
  )
}
