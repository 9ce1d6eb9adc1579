import { formatMicros } from '#kernel'
import { statementSchema } from '#contracts'
import { STATEMENT_STYLE } from '#statement'
import { type Principal, type StatementRow } from '#store'

const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** The first page after signing in: the statements that one may see. */
export function homePage(who: Principal, rows: readonly StatementRow[]): string {
  const items = rows.map((row) => {
    const statement = statementSchema.parse(JSON.parse(row.document))
    return `<tr><th scope="row">${row.month}</th><td>${escaped(statement.account.name)}</td><td>${statement.totals.trips}</td>
      <td>${escaped(statement.currency)} ${formatMicros(row.due)}</td><td>${row.state === 'sealed' ? 'final' : 'in review'}</td>
      <td><a href="/v1/statements/${row.id}.html">statement</a> · <a href="/v1/statements/${row.id}.csv">CSV</a> · <a href="/v1/statements/${row.id}.json">JSON</a></td></tr>`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Roadmeter</title><style>${STATEMENT_STYLE}</style></head>
<body><main><h1>${who.role === 'citizen' ? 'Your statements' : `Statements of ${escaped(who.agency)}`}</h1>
<table><caption>${rows.length} statement${rows.length === 1 ? '' : 's'}, newest first</caption>
<thead><tr><th scope="col">Month</th><th scope="col">Account</th><th scope="col">Trips</th><th scope="col">Due</th><th scope="col">State</th><th scope="col">Read</th></tr></thead>
<tbody>${items.join('')}</tbody></table>
<p><a href="/v1/agencies/${escaped(who.agency)}/policies">The published tariff</a> · <a href="/docs">The api</a></p></main></body></html>`
}
