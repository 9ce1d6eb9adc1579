import { extensionOf, type Column, type Format } from './columns'
import { type Written } from './table'

export interface PackagedTable {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly columns: readonly Column[]
  /** Columns that name a row together; empty where none do. */
  readonly key: readonly string[]
  readonly format: Format
  readonly written: Written
  /** Whether it shows the map: then the map's licence is its own, and the map is named as a source. */
  readonly attribution: string | null
  /** What was asked, withheld and added up: whoever has the file can add up again. */
  readonly facts: Readonly<Record<string, unknown>>
  /** When the table was made: not when the file was, so that the same table gives the same package. */
  readonly createdAt: string
}

/** A descriptor of the Frictionless data package (v1), as `datapackage.json` beside the file. */
export type DataPackage = ReturnType<typeof dataPackage>

const CC_BY = {
  name: 'CC-BY-4.0',
  path: 'https://creativecommons.org/licenses/by/4.0/',
  title: 'Creative Commons Attribution 4.0',
}
const ODBL = {
  name: 'ODbL-1.0',
  path: 'https://opendatacommons.org/licenses/odbl/1-0/',
  title: 'Open Data Commons Open Database License 1.0',
}
const TYPE = { string: 'string', integer: 'integer', number: 'number', geometry: 'any' } as const

export function dataPackage(table: PackagedTable) {
  const { name, title, about, columns, key, format, written, attribution, facts, createdAt } = table
  const path = `${name}.${extensionOf(format)}`
  const shown = columns.filter(({ type }) => type !== 'geometry' || format === 'geoparquet')
  return {
    profile: 'tabular-data-package',
    name,
    title,
    description: about,
    created: createdAt,
    licenses: [attribution === null ? CC_BY : ODBL],
    ...(attribution !== null && { sources: [{ title: attribution }] }),
    resources: [
      {
        name,
        path,
        profile: 'tabular-data-resource',
        format: extensionOf(format),
        mediatype: format === 'csv' ? 'text/csv' : 'application/vnd.apache.parquet',
        ...(format === 'csv' && {
          encoding: 'utf-8',
          dialect: { delimiter: ',', lineTerminator: '\r\n', quoteChar: '"', doubleQuote: true, header: true },
        }),
        bytes: written.bytes,
        hash: `sha256:${written.sha256}`,
        rows: written.rows,
        schema: {
          fields: shown.map(({ name: field, type, about: description, unit, nullable }) => ({
            name: field,
            type: TYPE[type],
            ...(format === 'csv' && type === 'string' && { format: 'default' }),
            description,
            ...(unit && { unit }),
            constraints: { required: !nullable && type !== 'geometry' },
          })),
          missingValues: [''],
          ...(key.length > 0 && { primaryKey: key }),
        },
      },
    ],
    roadmeter: facts,
  }
}
