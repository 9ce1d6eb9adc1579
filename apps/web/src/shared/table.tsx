import { type Key, type ReactNode } from 'react'

export interface Column<Row> {
  readonly id: string
  readonly title: string
  /** Aligned right in figures of equal width. */
  readonly isNumber?: boolean
  readonly cell: (row: Row) => ReactNode
}

/**
 * A table that reads at any width: below 640 px each row becomes a block whose cells carry their column's name. The first
 * column names the row.
 */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  foot,
  isCaptionHidden = false,
}: {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row, index: number) => Key
  foot?: readonly ReactNode[]
  isCaptionHidden?: boolean
}) {
  const side = ({ isNumber }: Column<Row>) => (isNumber ? ' govuk-table__cell--numeric' : '')
  return (
    <table className="govuk-table rm-table">
      <caption className={isCaptionHidden ? 'govuk-visually-hidden' : 'govuk-table__caption govuk-table__caption--s'}>
        {caption}
      </caption>
      <thead className="govuk-table__head">
        <tr className="govuk-table__row">
          {columns.map((column) => (
            <th
              key={column.id}
              scope="col"
              className={`govuk-table__header${column.isNumber ? ' govuk-table__header--numeric' : ''}`}
            >
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="govuk-table__body">
        {rows.map((row, index) => (
          <tr className="govuk-table__row" key={keyOf(row, index)}>
            {columns.map((column, i) =>
              i === 0 ? (
                <th key={column.id} scope="row" className={`govuk-table__header${side(column)}`}>
                  {column.cell(row)}
                </th>
              ) : (
                <td key={column.id} className={`govuk-table__cell${side(column)}`} data-title={column.title}>
                  {column.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
      {foot && (
        <tfoot>
          <tr className="govuk-table__row rm-table__foot">
            {foot.map((cell, i) =>
              i === 0 ? (
                <th key={i} scope="row" className="govuk-table__header">
                  {cell}
                </th>
              ) : (
                <td key={i} className={`govuk-table__cell${side(columns[i])}`} data-title={columns[i].title}>
                  {cell}
                </td>
              ),
            )}
          </tr>
        </tfoot>
      )}
    </table>
  )
}
