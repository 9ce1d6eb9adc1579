/** As much of JSON Schema 2020-12 as the policy's own schema uses (`/schemas/policy.json`). */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly default?: unknown
  readonly maxLength?: number
  readonly minimum?: number
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
export type JsonObject = { readonly [name: string]: Json }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One of several shapes, told apart by the members that each of them must have: a price per mile, per entry, ... */
export const variantsOf = (schema: Schema): readonly Schema[] | null => {
  const all = schema.anyOf ?? schema.oneOf
  return all?.every(({ type, required }) => type === 'object' && (required?.length ?? 0) > 0) ? all : null
}
export const variantName = ({ required }: Schema): string => required![0]

/** Which of the shapes a value has; the first where none fits. */
export const variantFor = (variants: readonly Schema[], value: Json | undefined): Schema =>
  variants.find((variant) => isObject(value) && variant.required!.every((name) => name in value)) ?? variants[0]

/** Alternatives of one kind, such as a clock's two patterns, are one field. */
export const plain = (schema: Schema): Schema => {
  const all = schema.anyOf ?? schema.oneOf
  return all && !variantsOf(schema) ? { ...all[0], ...(all[0].enum ? {} : { enum: undefined }) } : schema
}

/** What a new value of a schema begins as. */
export function emptyOf(given: Schema): Json {
  const variants = variantsOf(given)
  const schema = variants ? variants[0] : plain(given)
  if (schema.const !== undefined) return schema.const as Json
  if (schema.enum) return schema.enum[0]
  if (schema.type === 'array')
    return schema.items?.type === 'object' || variantsOf(schema.items ?? {}) ? [emptyOf(schema.items!)] : []
  if (schema.type === 'object')
    return Object.fromEntries(
      (schema.required ?? [])
        .filter((name) => schema.properties?.[name]?.default === undefined)
        .map((name) => [name, emptyOf(schema.properties![name])]),
    )
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0
  return ''
}

/** A document with the member at a path changed, or taken out where `value` is undefined. */
export function changed(document: Json, path: readonly (string | number)[], value: Json | undefined): Json {
  if (path.length === 0) return value ?? null
  const [name, ...rest] = path
  if (Array.isArray(document)) {
    const list = document as readonly Json[]
    if (rest.length === 0 && value === undefined) return list.filter((_, i) => i !== name)
    return list.map((item, i) => (i === name ? changed(item, rest, value) : item))
  }
  const object = isObject(document) ? document : {}
  if (rest.length === 0 && value === undefined)
    return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
  return { ...object, [name]: rest.length === 0 ? value! : changed(object[name] ?? {}, rest, value) }
}

/** As faults name it: `rules[2].price`. */
export const pathText = (path: readonly (string | number)[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')

/** Of the field that shows a path. */
export const fieldId = (path: string): string => `field-${path.replace(/[^\w-]+/g, '_')}`
