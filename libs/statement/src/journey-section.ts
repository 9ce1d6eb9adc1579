import { type CapCredit, type Journey, type Statement, type StatementLine } from '#contracts'
import { dayShares, type DayShare } from './breakdown'
import { exactCell, exactText, section } from './cells'
import { creditWords, dayOfCredit } from './credits'
import { isAdjustment } from './draft'
import { html, type Markup } from './markup'
import { type Words } from './words'

/** What belongs to months that were closed before it arrived, by its own date. */
export function adjustmentSection(statement: Statement, words: Words): Markup | null {
  const late = (item: { readonly month: string }) => isAdjustment(item, statement)
  const journeys = statement.journeys.filter(late)
  const credits = statement.capCredits.filter(late)
  if (journeys.length + credits.length === 0) return null
  return section(
    words.say.late,
    html`<p class="soft small">${words.say.lateWhat}</p>
      ${journeyTable(words.say.late, statement, journeys, credits, words, true)}`,
  )
}

/** The month's journeys, a fold for each day. */
export function journeySection(statement: Statement, words: Words): Markup {
  const days = dayShares(statement, words)
  const { say } = words
  const name = (share: DayShare) => words.weekday(share.day)
  return section(
    say.allJourneys,
    days.length === 0 ? html`<p>${say.noJourney(words.month(statement.month))}</p>` : null,
    days.map(
      (share) =>
        html`<details>
          <summary>
            <span>${name(share).replace(/^(\p{L}{3})\p{L}*(.*?)(?: de)? \d{4}$/u, '$1$2')}</span>
            <span class="n count soft">${words.journeys(share.journeys.length)}</span>
            <span class="n">${words.distance(share.distanceMm)} ${words.unit}</span>
            <span class="n">${exactText(share.amount, words)}</span>
          </summary>
          <div class="in">
            ${journeyTable(say.journeysOn(name(share)), statement, share.journeys, share.credits, words, false)}
          </div>
        </details>`,
    ),
  )
}

function journeyTable(
  caption: string,
  statement: Statement,
  journeys: readonly Journey[],
  credits: readonly CapCredit[],
  words: Words,
  dated: boolean,
): Markup {
  const names = new Map(statement.vehicles.map(({ vehicle, name }) => [vehicle, name]))
  const startedOn = new Map(statement.journeys.map(({ trip, startedAt }) => [trip, words.dayOf(startedAt)]))
  const zones = new Map(
    statement.madeBy.policies.flatMap((policy) =>
      Object.entries(policy.zones).map(([zone, zoneName]): [string, string] => [`${policy.id}/${zone}`, zoneName]),
    ),
  )
  const rows = (journey: Journey) =>
    journey.lines.map((line, i) => {
      const when = html`<th class="time" scope="rowgroup" rowspan="${journey.lines.length}">
        ${dated ? html`${words.date(words.dayOf(journey.startedAt))}<br />` : null}<time
          datetime="${words.stamp(journey.startedAt)}"
          >${words.time(journey.startedAt)}</time
        >–<wbr /><time datetime="${words.stamp(journey.endedAt)}">${words.time(journey.endedAt)}</time>
        <span class="sub">${names.get(journey.vehicle) ?? journey.vehicle}</span>
      </th>`
      return html`<tr class="${i < journey.lines.length - 1 ? 'rest' : ''}">
        ${i === 0 ? when : null}
        <td>${why(line, zones, words)}</td>
        <td class="n">${words.distance(line.distanceMm)}</td>
        ${exactCell(line.amount, words)}
      </tr>`
    })
  return html`<table class="trips">
    <caption class="hidden">
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">${dated ? words.say.when : words.say.time}</th>
        <th scope="col">${words.say.why}</th>
        <th scope="col" class="n">${words.unit}</th>
        <th scope="col" class="n">${statement.currency}</th>
      </tr>
    </thead>
    ${journeys.map(
      (journey) =>
        html`<tbody>
          ${rows(journey)}
        </tbody>`,
    )}
    ${
      credits.length > 0
        ? html`<tbody>
            ${credits.map((credit) => {
              const { name, sub } = creditWords(credit, words)
              const day = dayOfCredit(credit, startedOn)
              return html`<tr>
                <th scope="row">
                  ${dated ? (day === null ? credit.span : words.date(day)) : null}<span class="sub"
                    >${names.get(credit.vehicle) ?? credit.vehicle}</span
                  >
                </th>
                <td>${name}<span class="sub">${sub}</span></td>
                <td></td>
                ${exactCell(credit.amount, words)}
              </tr>`
            })}
          </tbody>`
        : null
    }
  </table>`
}

function why(line: StatementLine, zones: ReadonlyMap<string, string>, words: Words): Markup {
  const { say } = words
  const where = [
    say.roadClass(line.roadClass),
    ...line.zones.map((zone) => zones.get(`${line.policy}/${zone}`) ?? zone),
    ...(line.inferredMm > 0 ? [say.estimated(`${words.distance(line.inferredMm)} ${words.unit}`)] : []),
  ]
  const price = line.rate ? words.rate(line.rate) : say.free(words.sealed(line.freeReason ?? ''))
  return html`${words.sealed(line.ruleName)}<span class="sub"
      >${price}<span class="wide"> · ${where.join(' · ')}</span></span
    >`
}
