import { type Statement } from '#contracts'
import { micros, type Digest } from '#kernel'
import { type MerkleProof } from '#ledger'
import { count, section, shortDate } from './cells'
import { statementDigest } from './draft'
import { adjustmentSection, journeySection } from './journey-section'
import { html, Markup, type Content } from './markup'
import { moneySection } from './money-section'
import { sectionsOf, type Row, type Section } from './sections'
import { STATEMENT_STYLE } from './style'
import { daysOf, monthWords, wordsOf, type Words } from './words'

/** That a statement is one of those whose root was published. */
export interface StatementProof {
  readonly root: Digest
  readonly proof: MerkleProof
}

/** Ours, so that it needs no escaping; with nothing between tag and text, so that its hash is that of the constant. */
const STYLE = new Markup(`<style>${STATEMENT_STYLE}</style>`)

/**
 * The statement as one HTML page, from the sealed document alone: no script, no request to anywhere, no style attribute.
 * Complete on paper too, where the days are unfolded.
 */
export function statementHtml(statement: Statement, proof?: StatementProof): string {
  const words = wordsOf(statement)
  const parts = sectionsOf(statement)
  const { agency, account, month } = statement
  const title = `Road-use statement, ${monthWords(month)}`
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${title} - ${agency.name}</title>
        ${STYLE}
      </head>
      <body>
        <main>
          <header>
            <p class="agency">${agency.name}</p>
            <h1>${title}</h1>
            <p class="soft">${account.name}, account <code>${account.id}</code></p>
            ${billSection(statement, words)}
          </header>
          ${written(parts.sum)} ${written(parts.distance)} ${written(parts.odometer)} ${written(parts.rates)}
          ${moneySection(statement, words)} ${written(parts.breakdown)} ${written(parts.limits)}
          ${written(parts.corrections)} ${written(parts.comparison)} ${adjustmentSection(statement, words)}
          ${journeySection(statement, words)} ${originSection(statement, words)} ${checkSection(statement, proof)}
          ${written(parts.data)} ${written(parts.questions)}
          <footer>
            <p>
              Statement <code>${statement.id}</code>, drafted ${stampWords(statement, words)} (${statement.timeZone}).
            </p>
            <p>Road map data © OpenStreetMap contributors, available under the Open Database Licence.</p>
          </footer>
        </main>
      </body>
    </html> `
  return page.text
}

function billSection({ totals, month, reviewUntil, dueOn }: Statement, words: Words): Markup {
  const days = daysOf(month)
  const label = totals.due > 0n ? 'Amount due' : totals.due < 0n ? 'Credit in your favour' : 'Nothing to pay'
  return html`<dl class="bill">
    <div class="due">
      <dt>${label}</dt>
      <dd>${words.money(totals.due < 0n ? micros(-totals.due) : totals.due)}</dd>
    </div>
    <div>
      <dt>${totals.due > 0n ? 'Due by' : 'Settled by'}</dt>
      <dd><time datetime="${dueOn}">${shortDate(dueOn)}</time></dd>
    </div>
    <div>
      <dt>Period</dt>
      <dd>1 to ${days.length} ${monthWords(month)}</dd>
    </div>
    <div>
      <dt>Questions until</dt>
      <dd><time datetime="${reviewUntil}">${shortDate(reviewUntil)}</time></dd>
    </div>
    <div>
      <dt>Driven</dt>
      <dd>${words.distance(totals.chargedMm + totals.freeMm)} ${words.unit} in ${count(totals.trips, 'journey')}</dd>
    </div>
  </dl>`
}

/** A total, and what is part of it, follow what they sum up. */
const isFoot = ({ isTotal, isPart }: Row): boolean => isTotal === true || isPart === true

/** A section of words and tables. */
function written(made: Section | null): Markup | null {
  if (!made) return null
  const row = ({ cells: [name, ...numbers], sub, isPart }: Row) =>
    html`<tr${isPart ? html` class="part"` : null}>
      <th scope="row">${name}${sub ? html`<span class="sub">${sub}</span>` : null}</th>
      ${numbers.map((number) => html`<td class="n">${fine(number)}</td>`)}
    </tr>`
  return section(
    made.title,
    made.text.map((paragraph) => html`<p class="small">${paragraph}</p>`),
    made.tables.map(
      ({ columns: [name, ...numbers], rows }) =>
        html`<table class="gap">
          <caption class="hidden">
            ${made.title}
          </caption>
          <thead>
            <tr>
              <th scope="col">${name}</th>
              ${numbers.map((title) => html`<th scope="col" class="n">${title}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.filter((one) => !isFoot(one)).map(row)}
          </tbody>
          ${
            rows.some(isFoot)
              ? html`<tfoot>
                  ${rows.filter(isFoot).map(row)}
                </tfoot>`
              : null
          }
        </table>`,
    ),
  )
}

/** Digits beyond a coin in small grey ones. */
const fine = (text: string): Content => {
  const parts = /^(.*\d\.\d\d)(\d{4})$/.exec(text)
  return parts ? html`${parts[1]}<span class="fine">${parts[2]}</span>` : text
}

function originSection({ madeBy }: Statement, words: Words): Markup {
  return section(
    'What made this statement',
    html`<dl class="facts">
      ${madeBy.policies.map(
        ({ name, id, digest }) =>
          html`<dt>Policy</dt>
            <dd>${name} (<code>${id}</code>)<br /><code class="soft">${digest}</code></dd>`,
      )}
      ${madeBy.networks.map(
        (network) =>
          html`<dt>Road network</dt>
            <dd><code>${network}</code></dd>`,
      )}
      ${
        madeBy.engines.length > 0
          ? html`<dt>Engine</dt>
              <dd>${madeBy.engines.join(', ')}</dd>`
          : null
      }
      <dt>Distances</dt>
      <dd>
        along the road, never from raw positions; kept in whole millimetres and printed in
        ${words.unit === 'mi' ? 'miles of 1.609344 km' : 'kilometres'}
      </dd>
    </dl>`,
  )
}

function checkSection(statement: Statement, proof: StatementProof | undefined): Markup {
  const command = `roadmeter verify statement.json --policy policies.json${proof ? ` --proof proof.json --root ${proof.root}` : ''}`
  const file = (name: string, path: string, what: string) =>
    html`<li><code>${path}</code> as <code>${name}</code>: ${what}</li>`
  return section(
    'How to check it',
    html`<ol>
        <li>
          Each line is its distance times its rate, rounded once to a millionth of ${statement.currency}. The digits in
          grey are too small for a coin and count in the sum.
        </li>
        <li>
          Save these from where this statement is served:
          <ul>
            ${file('statement.json', `/v1/statements/${statement.id}.json`, 'this statement')}
            ${file('policies.json', `/v1/agencies/${statement.agency.id}/policies`, 'the policies, as they were published')}
            ${proof ? file('proof.json', `/v1/statements/${statement.id}/proof`, 'that it is one of those sealed together') : null}
          </ul>
        </li>
        <li>
          Run <code>${command}</code>. It needs no connection and works the whole statement out
          again${proof ? ', and checks that it is one of those whose root was published' : ''}.
        </li>
      </ol>
      <dl class="facts">
        <dt>Digest of this statement (SHA-256)</dt>
        <dd><code>${statementDigest(statement)}</code></dd>
        ${
          proof
            ? html`<dt>Published root</dt>
                <dd><code>${proof.root}</code></dd>
                <dt>Proof: statement ${proof.proof.index + 1} of ${proof.proof.size}</dt>
                <dd>${proof.proof.path.map((step) => html`<code>${step}</code><br />`)}</dd>`
            : null
        }
      </dl>`,
  )
}

const stampWords = ({ draftedAt }: Statement, words: Words): string =>
  `${shortDate(words.dayOf(draftedAt))} at ${words.time(draftedAt)}`
