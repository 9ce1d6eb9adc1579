import { statementSchema } from '#contracts'
import { type Language } from '#policy'
import { STATEMENT_STYLE, wordsOf } from '#statement'
import { type Principal, type StatementRow } from '#store'
import { PAGE_SAYS } from './page-words'

export const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

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
#said.bad{border-color:#c0362c}
@media (max-width:40rem){
.list thead{position:absolute;clip-path:inset(50%)}
.list tr{display:block;padding:.75rem 0;border-bottom:1px solid var(--line)}
.list th,.list td{display:block;padding:.1rem 0;border:0}
.list th{font-weight:650}
.list td::before{content:attr(data-label) ": ";color:var(--soft)}
}`

/** A whole page. `address`: where it stands, if it can be read in the other language there. */
export const page = (title: string, body: string, language: Language, address?: string): string =>
  `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} - Roadmeter</title><style>${STATEMENT_STYLE}${PAGE_STYLE}</style></head>
<body><header class="rm-top"><a href="/">Roadmeter</a></header><main><h1>${title}</h1>${body}${address ? inOther(address, language) : ''}</main></body></html>`

function inOther(address: string, language: Language): string {
  const other = language === 'en' ? 'es' : 'en'
  return `<footer><a href="${address}?lang=${other}" hreflang="${other}" lang="${other}">${PAGE_SAYS[language].inOther}</a></footer>`
}

/** What went wrong, for a person, and what to do about it. The reason is said in English: other languages say what stands for it. */
export function problemPage(status: number, detail: string, language: Language): string {
  const { signIn, forbidden, missing, broken, refused } = PAGE_SAYS[language].problems
  const known = { 401: signIn, 403: forbidden, 404: missing }[status]
  const { title, what, todo } = known ?? (status >= 500 ? broken : refused)
  const reason = what ?? escaped(detail)
  return page(
    title,
    `<p${what === null && language !== 'en' ? ' lang="en"' : ''}>${reason}</p><p>${todo}</p>`,
    language,
  )
}

/**
 * The first page after signing in: the first of `total` statements that one may see, whole for the citizen whose they are,
 * totals for an agency: where people were is not its business.
 */
export function homePage(who: Principal, rows: readonly StatementRow[], total: number, language: Language): string {
  const own = who.role === 'citizen'
  const says = PAGE_SAYS[language]
  const { month, account, trips, due, state, read } = says.columns
  const heads = [month, account, trips, due, state, ...(own ? [read] : [])]
  const items = rows.map((row) => {
    const statement = statementSchema.parse(JSON.parse(row.document))
    const words = wordsOf(statement, language)
    const file = (form: string) => `/v1/statements/${row.id}.${form}`
    const cells = [
      escaped(statement.account.name),
      String(statement.totals.trips),
      escaped(words.money(row.due)),
      row.state === 'sealed' ? says.final : says.review,
      `<a href="${file('html')}?lang=${language}">${says.statement}</a> · <a href="${file('pdf')}?lang=${language}">PDF</a> · <a href="${file('csv')}">CSV</a> · <a href="${file('json')}">JSON</a>`,
    ].slice(0, heads.length - 1)
    return `<tr><th scope="row">${words.month(row.month)}</th>${cells.map((cell, i) => `<td data-label="${heads[i + 1]}">${cell}</td>`).join('')}</tr>`
  })
  return page(
    own ? says.statements : says.statementsOf(escaped(who.agency)),
    `<table class="list"><caption>${says.listed(rows.length, total)}</caption>
<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${items.join('')}</tbody></table>
<p><a href="/v1/agencies/${escaped(who.agency)}/policies">${says.tariff}</a> · <a href="/docs">${says.api}</a></p>`,
    language,
    '/plain',
  )
}

/** Where the local provider's money of no worth is paid. */
export function payPage(currency: string, amount: string, payment: string, language: Language): string {
  const { pay, payLead, decline } = PAGE_SAYS[language]
  const title = pay(`${escaped(currency)} ${amount}`)
  return page(
    title,
    `<p>${payLead}</p>
<form method="post" action="/pay/${escaped(payment)}"><p><button name="outcome" value="pay">${title}</button>
<button name="outcome" value="decline">${decline}</button></p></form>`,
    language,
  )
}
