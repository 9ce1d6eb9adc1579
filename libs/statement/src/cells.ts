import { type Micros } from '#kernel'
import { html, type Content, type Markup } from './markup'
import { type Words } from './words'

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
  const [coins, rest, sign] = words.exact(amount)
  return html`${coins}<span class="fine">${rest}</span>${sign}`
}
export const exactCell = (amount: Micros, words: Words): Markup => html`<td class="n">${exactText(amount, words)}</td>`
