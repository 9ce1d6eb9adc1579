import { type Micros } from '#kernel'
import { html, type Content, type Markup } from './markup'
import { dateWords, type Words } from './words'

/** A part of the page under its heading. */
export const section = (title: string, ...content: readonly Content[]): Markup => {
  const id = title.toLowerCase().replaceAll(' ', '-')
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`
}

/** An amount to its last micro, the part below the coin in small grey digits. */
export const exactText = (amount: Micros, words: Words): Markup => {
  const [coins, rest] = words.exact(amount)
  return html`${coins}<span class="fine">${rest}</span>`
}
export const exactCell = (amount: Micros, words: Words): Markup => html`<td class="n">${exactText(amount, words)}</td>`

/** "1 journey", "2 journeys" */
export const count = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`

/** "6 October 2026" */
export const shortDate = (day: string): string => dateWords(day).replace(/^\w+ /, '')
