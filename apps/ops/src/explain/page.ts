import { html, Markup } from '#statement'
import { counted } from '../printed'
import { closeupsOf } from './closeups'
import { FATE_WORDS, metresOf, roadName, sureness, type Explained } from './explained'
import { boxOf, mapSvg, Plane, roadsNear, type Point } from './map'
import { EXPLAIN_STYLE } from './style'

const WIDTH = 960
const HEIGHT_MIN = 300
const HEIGHT_MAX = 820
const CLOSEUP = { width: 470, height: 340 }

/** A drive as one HTML file that asks nobody for anything: a map, close-ups of what is worth a look, the way, and the price. */
export function explainHtml(e: Explained): string {
  const valid = e.fixes.filter(({ fate }) => fate !== 'invalid' && fate !== 'null-island')
  const anchor = valid[valid.length >> 1] ?? { lon: 0, lat: 0 }
  const plane = new Plane(anchor.lon, anchor.lat)
  const points: Point[] = [
    ...valid.filter(({ fate }) => fate !== 'implausible').map(({ lon, lat }) => plane.of(lon, lat)),
    ...e.traversals.flatMap((t) => plane.line(e.network, t)),
  ]
  const box = boxOf(points.length ? points : [[0, 0]], 80)
  const roads = roadsNear(e.network, plane, boxOf(points.length ? points : [[0, 0]], 1_200))
  const closeups = closeupsOf(e, plane)
  const height = Math.round(
    Math.min(HEIGHT_MAX, Math.max(HEIGHT_MIN, (WIDTH * (box.bottom - box.top)) / (box.right - box.left))),
  )
  const marks = closeups.map(({ at }, i) => ({ at, number: i + 1 }))
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${e.title}</title>
        <style>
          ${new Markup(EXPLAIN_STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${e.title}</h1>
          <dl class="facts">
            ${e.facts.map(
              ([name, value]) =>
                html`<div>
                  <dt>${name}</dt>
                  <dd>${value}</dd>
                </div>`,
            )}
          </dl>
          ${e.notes.map((note) => html`<p class="note">${note}</p>`)}
          <figure>
            ${mapSvg(e, plane, roads, { box, width: WIDTH, height, marks, label: `Map of ${e.title}` })} ${legend(e)}
          </figure>
          ${
            closeups.length
              ? html`<section>
                  <h2>Worth a look</h2>
                  <div class="closeups">
                    ${closeups.map(
                      ({ box, caption }, i) =>
                        html`<figure>
                          ${mapSvg(e, plane, roads, { ...CLOSEUP, box, marks: [], label: caption })}
                          <figcaption><b>${i + 1}</b> ${caption}</figcaption>
                        </figure>`,
                    )}
                  </div>
                </section>`
              : null
          }
          ${
            e.charges.length
              ? html`<section>
                  <h2>What it cost</h2>
                  <ul>
                    ${e.charges.map((charge) => html`<li>${charge}</li>`)}
                  </ul>
                </section>`
              : null
          }
          <section>
            <h2>The way</h2>
            ${wayTable(e)}
          </section>
          <section>
            <h2>The fixes</h2>
            ${fateTable(e)}
          </section>
          <footer>
            ${e.network.attribution ? `Roads ${e.network.attribution}. ` : ''}This page shows where somebody drove. It
            is theirs: pass it on to nobody else.
          </footer>
        </main>
      </body>
    </html> `
  return page.text
}

function legend({ truth, traversals, fixes, breaks }: Explained): Markup {
  const line = (kind: string, words: string) =>
    html`<li>
      <svg viewBox="0 0 28 10" aria-hidden="true">
        <path class="${kind}" fill="none" stroke-width="${kind === 'truth' ? 9 : 4}" d="M2 5h24" /></svg
      >${words}
    </li>`
  const dot = (kind: string, words: string) =>
    html`<li>
      <svg viewBox="0 0 28 10" aria-hidden="true">
        <circle class="${kind}" cx="14" cy="5" r="${kind.startsWith('f ') ? 2.8 : 4.2}" /></svg
      >${words}
    </li>`
  const some = (is: (t: Explained['traversals'][number]) => boolean) => traversals.some(is)
  const fates = [...new Set(fixes.map(({ fate }) => fate))].filter((fate) => fate !== 'invalid')
  return html`<ul class="legend">
    ${line('w sure', 'found, sure')}
    ${some((t) => t.confidence < 900 && t.confidence >= 600) ? line('w less', 'less than 90 % sure') : null}
    ${some((t) => t.confidence < 600) ? line('w un', 'less than 60 % sure') : null}
    ${some((t) => t.inferred) ? line('w sure inf', 'inferred: no fix lies on it') : null}
    ${truth ? line('truth', 'truly driven') : null} ${dot('start', 'start')}${dot('goal', 'end')}
    ${
      breaks
        ? html`<li>
            <svg viewBox="0 0 28 10" aria-hidden="true"><path class="lost" d="M10 1l8 8m0-8l-8 8" /></svg>lost, begun
            anew
          </li>`
        : null
    }
    ${fates.map((fate) => dot(`f ${fate}`, `fix, ${FATE_WORDS[fate]}`))}
  </ul>`
}

/** Traversals in a row on roads of one name and kind are one line. */
function wayTable(e: Explained): Markup {
  const rows: { name: string; first: number; last: number }[] = []
  e.traversals.forEach(({ segment, inferred }, i) => {
    const name = `${roadName(e.network, segment)} ${e.network.roadClass(segment)} ${inferred}`
    const row = rows[rows.length - 1]
    if (row?.name === name) row.last = i
    else rows.push({ name, first: i, last: i })
  })
  return html`<table>
    <thead>
      <tr>
        <th>from</th>
        <th>road</th>
        <th>kind</th>
        <th class="n">metres</th>
        <th class="n">fixes</th>
        <th>least</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(({ first, last }) => {
        const of = e.traversals.slice(first, last + 1)
        const least = of.reduce((a, b) => (b.confidence < a.confidence ? b : a))
        return html`<tr>
          <td class="time">${e.time(of[0].enteredAt)}</td>
          <td>${roadName(e.network, of[0].segment)}</td>
          <td>${e.network.roadClass(of[0].segment).replace('_', ' ')}</td>
          <td class="n">${metresOf(of).toFixed(1)}</td>
          <td class="n">${of.reduce((sum, t) => sum + t.fixes, 0)}</td>
          <td>${sureness(least)}</td>
        </tr>`
      })}
    </tbody>
  </table>`
}

function fateTable({ fixes }: Explained): Markup {
  const fates = [...new Set(fixes.map(({ fate }) => fate))]
  return html`<table>
    <tbody>
      ${fates.map((fate) => {
        const of = fixes.filter((fix) => fix.fate === fate)
        const off = of.flatMap(({ place }) => place?.distanceM ?? []).sort((a, b) => a - b)
        const words = off.length
          ? `median ${off[off.length >> 1].toFixed(1)} m off the road, most ${off[off.length - 1].toFixed(1)} m`
          : ''
        return html`<tr>
          <td>${FATE_WORDS[fate]}</td>
          <td class="n">${counted(of.length, 'fix', 'fixes')}</td>
          <td>${words}</td>
        </tr>`
      })}
    </tbody>
  </table>`
}
