import { statementSchema } from '#contracts'
import { formatMicros } from '#kernel'
import { STATEMENT_STYLE } from '#statement'
import { type Principal, type StatementRow } from '#store'

export const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

export type PageLanguage = 'en' | 'es'

/** The look of the portal, for pages that must do without its script. */
const PAGE_STYLE = `
.rm-top{background:#0b4f49;border-bottom:4px solid #eca72c;padding:.85rem 1.25rem}
.rm-top a{display:block;max-width:43.5rem;margin:0 auto;color:#fff;font-weight:650;font-size:1.125rem;text-decoration:none}
main h1{font-size:2rem;margin-bottom:1rem}
main>p{margin-top:1rem}
form{margin-top:1.75rem;max-width:34rem}
form p{margin-bottom:1.5rem}
label{font-weight:650}
label+.sub{margin-bottom:.35rem;font-size:.9375rem}
input{max-width:100%;font:inherit;color:inherit}
input:not([type=file]){width:100%;padding:.5rem .6rem;background:transparent;border:1px solid var(--soft);border-radius:6px}
button{padding:.55rem 1rem;font:inherit;font-weight:650;color:#fff;background:#0b5f57;border:0;border-bottom:2px solid #062f2b;border-radius:6px;cursor:pointer}
button:focus-visible,input:focus-visible{outline:3px solid #eca72c;outline-offset:1px}
#said{padding:0;list-style:none}
#said.good,#said.bad{padding:1rem 1.25rem;border-left:5px solid #1b7f4b;background:var(--tint);overflow-wrap:anywhere}
#said.bad{border-color:#c0362c}`

export const page = (title: string, body: string, language: PageLanguage = 'en'): string =>
  `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} - Roadmeter</title><style>${STATEMENT_STYLE}${PAGE_STYLE}</style></head>
<body><header class="rm-top"><a href="/">Roadmeter</a></header><main><h1>${title}</h1>${body}</main></body></html>`

/** What went wrong, for a person, and what to do about it. */
export function problemPage(status: number, detail: string): string {
  const todo =
    status === 401
      ? '<a href="/auth/login">Sign in</a>, or open the link that you were handed.'
      : status >= 500
        ? 'Try again in a moment.'
        : '<a href="/">To your statements</a>'
  const titles: Record<number, string> = { 401: 'Please sign in', 403: 'Not for you', 404: 'Not found' }
  return page(
    titles[status] ?? (status >= 500 ? 'Something went wrong' : 'That did not work'),
    `<p>${escaped(detail)}</p><p>${todo}</p>`,
  )
}

/**
 * The first page after signing in: the first of `total` statements that one may see, whole for the citizen whose they are,
 * totals for an agency: where people were is not its business.
 */
export function homePage(who: Principal, rows: readonly StatementRow[], total: number): string {
  const own = who.role === 'citizen'
  const items = rows.map((row) => {
    const statement = statementSchema.parse(JSON.parse(row.document))
    return `<tr><th scope="row">${row.month}</th><td>${escaped(statement.account.name)}</td><td>${statement.totals.trips}</td>
      <td>${escaped(statement.currency)} ${formatMicros(row.due)}</td><td>${row.state === 'sealed' ? 'final' : 'in review'}</td>
      ${own ? `<td><a href="/v1/statements/${row.id}.html">statement</a> · <a href="/v1/statements/${row.id}.pdf">PDF</a> · <a href="/v1/statements/${row.id}.csv">CSV</a> · <a href="/v1/statements/${row.id}.json">JSON</a></td>` : ''}</tr>`
  })
  return page(
    own ? 'Your statements' : `Statements of ${escaped(who.agency)}`,
    `<table><caption>${rows.length < total ? `the first ${rows.length} of ` : ''}${total} statement${total === 1 ? '' : 's'}, newest first</caption>
<thead><tr><th scope="col">Month</th><th scope="col">Account</th><th scope="col">Trips</th><th scope="col">Due</th><th scope="col">State</th>${own ? '<th scope="col">Read</th>' : ''}</tr></thead>
<tbody>${items.join('')}</tbody></table>
<p><a href="/v1/agencies/${escaped(who.agency)}/policies">The published tariff</a> · <a href="/docs">The api</a></p>`,
  )
}

/** Where the local provider's money of no worth is paid. */
export const payPage = (currency: string, amount: string, payment: string): string =>
  page(
    `Pay ${escaped(currency)} ${amount}`,
    `<p>This is a demonstration: no money is taken, whichever you choose.</p>
<form method="post" action="/pay/${escaped(payment)}"><p><button name="outcome" value="pay">Pay ${escaped(currency)} ${amount}</button>
<button name="outcome" value="decline">Let the card be declined</button></p></form>`,
  )
