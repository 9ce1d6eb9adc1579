import { type Statement } from '#contracts'
import { micros } from '#kernel'
import { dayShares, ruleShares, type RuleShare } from './breakdown'
import { exactCell, section } from './cells'
import { html, type Markup } from './markup'
import { daysOf, type Words } from './words'

/** A colour for each of the dearest rules; all further ones share the last. */
const COLOURS = 6

/** Charges by rule as a bar and a table, by day as columns, and whose revenue they are. */
export function moneySection(statement: Statement, words: Words): Markup | null {
  const shares = ruleShares(statement)
  if (shares.length === 0) return null
  const { currency, totals } = statement
  const { say } = words
  const largest = shares.map(({ name, amount }) => `${name} ${words.rounded(amount)}`).join(', ')
  return section(
    say.moneyWent,
    html`<figure>
        <figcaption class="hidden">${say.alsoBelow}</figcaption>
        <svg
          class="bar"
          viewBox="0 0 1000 10"
          preserveAspectRatio="none"
          role="img"
          aria-label="${say.chargesByRule}: ${largest}"
        >
          ${stack(
            shares.map(({ amount }, i) => [i, amount]),
            (at, size, i) => html`<rect class="${colour(i)}" x="${at}" y="0" width="${size}" height="10" />`,
            1000,
          )}
        </svg>
      </figure>
      <table>
        <caption class="hidden">
          ${say.chargesByRule}
        </caption>
        <thead>
          <tr>
            <th scope="col">${say.rule}</th>
            <th scope="col" class="n">${say.distance(words.unit)}</th>
            <th scope="col" class="n">${say.amount(currency)}</th>
          </tr>
        </thead>
        <tbody>
          ${shares.map(
            ({ name, rate, distanceMm, amount }, i) =>
              html`<tr>
                <th scope="row">
                  <svg class="key" viewBox="0 0 1 1" aria-hidden="true">
                    <rect class="${colour(i)}" width="1" height="1" /></svg
                  >${name}<span class="sub">${rate && words.rate(rate)}</span>
                </th>
                <td class="n">${words.distance(distanceMm)}</td>
                ${exactCell(amount, words)}
              </tr>`,
          )}
        </tbody>
      </table>
      ${dayChart(statement, shares, words)}
      <p class="soft small gap">
        ${
          totals.byJurisdiction.length === 1
            ? say.revenueAll(totals.byJurisdiction[0].jurisdiction)
            : say.revenueOf(
                totals.byJurisdiction
                  .map(({ jurisdiction, amount }) => `${jurisdiction} ${words.money(amount)}`)
                  .join(', '),
              )
        }
      </p>`,
  )
}

function dayChart(statement: Statement, shares: readonly RuleShare[], words: Words): Markup | null {
  const days = daysOf(statement.month)
  const driven = new Map(dayShares(statement, words).map((share) => [share.day, share]))
  const grossOf = (day: string) => [...(driven.get(day)?.byRule.values() ?? [])].reduce((a, b) => a + b, 0n)
  const highest = days.reduce((best, day) => (grossOf(day) > grossOf(best) ? day : best))
  const scale = grossOf(highest)
  if (scale <= 0n) return null
  const columns = days.map((day, x) => {
    const parts = shares.map(({ key }, i): [number, bigint] => [i, driven.get(day)?.byRule.get(key) ?? 0n])
    const height = Number((grossOf(day) * 10_000n) / scale) / 100
    return stack(
      parts,
      (at, size, i) =>
        html`<rect class="${colour(i)}" x="${x * 10 + 1}" y="${round(100 - at - size)}" width="8" height="${size}" />`,
      height,
    )
  })
  const label = words.say.chargesByDay(words.rounded(micros(scale)), words.weekday(highest))
  return html`<figure class="gap">
    <figcaption>${label}</figcaption>
    <svg class="days" viewBox="0 0 ${days.length * 10} 100" preserveAspectRatio="none" role="img" aria-label="${label}">
      ${columns}
    </svg>
    <p class="axis" aria-hidden="true">
      ${[0, 7, 14, 21, days.length - 1].map((i) => html`<span>${+days[i].slice(8)}</span>`)}
    </p>
  </figure>`
}

/** Pieces of a whole laid end to end over `length`; amounts below zero (charges taken back) have no length. */
function stack(
  parts: readonly (readonly [number, bigint])[],
  piece: (at: number, size: number, index: number) => Markup,
  length: number,
): Markup[] {
  const total = parts.reduce((sum, [, amount]) => sum + (amount > 0n ? amount : 0n), 0n)
  let at = 0
  return parts.flatMap(([index, amount]) => {
    if (amount <= 0n) return []
    const size = round((Number((amount * 100_000n) / total) / 100_000) * length)
    at += size
    return piece(round(at - size), size, index)
  })
}

const colour = (rank: number): string => `s${Math.min(rank, COLOURS - 1)}`
const round = (n: number): number => Math.round(n * 100) / 100
