import { type Statement } from '#contracts'
import { micros, type Digest } from '#kernel'
import { type MerkleProof } from '#ledger'
import { type Language } from '#policy'
import { section } from './cells'
import { statementDigest } from './draft'
import { adjustmentSection, journeySection } from './journey-section'
import { html, Markup, type Content } from './markup'
import { moneySection } from './money-section'
import { sectionsOf, type Row, type Section } from './sections'
import { STATEMENT_STYLE } from './style'
import { daysOf, wordsOf, type Words } from './words'

/** That a statement is one of those whose root was published. */
export interface StatementProof {
  readonly root: Digest
  readonly proof: MerkleProof
}

/** Ours, so that it needs no escaping; with nothing between tag and text, so that its hash is that of the constant. */
const STYLE = new Markup(`<style>${STATEMENT_STYLE}</style>`)

/**
 * The statement as one HTML page, from the sealed document alone: no script, no request to anywhere, no style attribute.
 * Complete on paper too, where the days are unfolded. The language is the reader's: what is sealed has none.
 */
export function statementHtml(statement: Statement, proof?: StatementProof, language: Language = 'en'): string {
  const words = wordsOf(statement, language)
  const { say } = words
  const parts = sectionsOf(statement, language)
  const { agency, account, month } = statement
  const title = say.title(words.month(month))
  const page = html`<!doctype html>
    <html lang="${language}">
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
            <p class="soft">${account.name}, ${say.account} <code>${account.id}</code></p>
            ${billSection(statement, words)}
          </header>
          ${written(parts.sum)} ${written(parts.distance)} ${written(parts.odometer)} ${written(parts.rates)}
          ${moneySection(statement, words)} ${written(parts.breakdown)} ${written(parts.limits)}
          ${written(parts.corrections)} ${written(parts.comparison)} ${adjustmentSection(statement, words)}
          ${journeySection(statement, words)} ${originSection(statement, words)}
          ${checkSection(statement, words, proof)} ${written(parts.data)} ${written(parts.questions)}
          <footer>
            <p>
              ${say.statement} <code>${statement.id}</code>, ${say.drafted} ${stampWords(statement, words)}
              (${statement.timeZone}).
            </p>
            <p>${say.map}</p>
          </footer>
        </main>
      </body>
    </html> `
  return page.text
}

function billSection({ totals, month, reviewUntil, dueOn }: Statement, words: Words): Markup {
  const { say } = words
  const label = totals.due > 0n ? say.due : totals.due < 0n ? say.inFavour : say.nothingDue
  return html`<dl class="bill">
    <div class="due">
      <dt>${label}</dt>
      <dd>${words.money(totals.due < 0n ? micros(-totals.due) : totals.due)}</dd>
    </div>
    <div>
      <dt>${totals.due > 0n ? say.dueBy : say.settledBy}</dt>
      <dd><time datetime="${dueOn}">${words.date(dueOn)}</time></dd>
    </div>
    <div>
      <dt>${say.period}</dt>
      <dd>${say.daysOfMonth(daysOf(month).length, words.month(month))}</dd>
    </div>
    <div>
      <dt>${say.questionsUntil}</dt>
      <dd><time datetime="${reviewUntil}">${words.date(reviewUntil)}</time></dd>
    </div>
    <div>
      <dt>${say.driven}</dt>
      <dd>
        ${say.drivenIn(`${words.distance(totals.chargedMm + totals.freeMm)} ${words.unit}`, words.journeys(totals.trips))}
      </dd>
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
  const parts = /^(.*\d[.,]\d\d)(\d{4})(\D*)$/.exec(text)
  return parts ? html`${parts[1]}<span class="fine">${parts[2]}</span>${parts[3]}` : text
}

function originSection({ madeBy, unit }: Statement, { say }: Words): Markup {
  return section(
    say.origin,
    html`<dl class="facts">
      ${madeBy.policies.map(
        ({ name, id, digest }) =>
          html`<dt>${say.policy}</dt>
            <dd>${name} (<code>${id}</code>)<br /><code class="soft">${digest}</code></dd>`,
      )}
      ${madeBy.networks.map(
        (network) =>
          html`<dt>${say.network}</dt>
            <dd><code>${network}</code></dd>`,
      )}
      ${
        madeBy.engines.length > 0
          ? html`<dt>${say.engine}</dt>
              <dd>${madeBy.engines.join(', ')}</dd>`
          : null
      }
      <dt>${say.distances}</dt>
      <dd>${say.distancesWhat(unit)}</dd>
    </dl>`,
  )
}

function checkSection(statement: Statement, { say }: Words, proof: StatementProof | undefined): Markup {
  const command = `roadmeter verify statement.json --policy policies.json${proof ? ` --proof proof.json --root ${proof.root}` : ''}`
  const file = (name: string, path: string, what: string) =>
    html`<li><code>${path}</code> ${say.as} <code>${name}</code>: ${what}</li>`
  return section(
    say.check,
    html`<ol>
        <li>${say.checkLines(statement.currency)}</li>
        <li>
          ${say.checkSave}
          <ul>
            ${file('statement.json', `/v1/statements/${statement.id}.json`, say.thisFile)}
            ${file('policies.json', `/v1/agencies/${statement.agency.id}/policies`, say.policiesFile)}
            ${proof ? file('proof.json', `/v1/statements/${statement.id}/proof`, say.proofFile) : null}
          </ul>
        </li>
        <li>${say.run} <code>${command}</code>. ${say.runWhat(proof !== undefined)}</li>
      </ol>
      <dl class="facts">
        <dt>${say.digest}</dt>
        <dd><code>${statementDigest(statement)}</code></dd>
        ${
          proof
            ? html`<dt>${say.root}</dt>
                <dd><code>${proof.root}</code></dd>
                <dt>${say.proof(proof.proof.index + 1, proof.proof.size)}</dt>
                <dd>${proof.proof.path.map((step) => html`<code>${step}</code><br />`)}</dd>`
            : null
        }
      </dl>`,
  )
}

const stampWords = ({ draftedAt }: Statement, words: Words): string =>
  words.say.at(words.date(words.dayOf(draftedAt)), words.time(draftedAt))
