import { columns, counted, grouped } from '../printed'
import { FATE_WORDS, metresOf, roadName, sureness, type Explained } from './explained'

const CANDIDATES_SHOWN = 3

/** A drive in lines for a terminal; with `everyFix` a line for each fix and what it was chosen from, else for each run of them. */
export function explainText(e: Explained, everyFix: boolean): string {
  const parts = [
    e.title,
    columns(e.facts.map(([name, value]) => [`  ${name}`, value])),
    ...(e.notes.length ? ['', ...e.notes] : []),
    '',
    'The way',
    columns(
      e.traversals.map((t) => [
        `  ${e.time(t.enteredAt)}`,
        roadName(e.network, t.segment),
        e.network.roadClass(t.segment).replace('_', ' '),
        `${metresOf([t]).toFixed(1)} m`,
        counted(t.fixes, 'fix', 'fixes'),
        sureness(t) + besides(e.network, t) + (t.between ? ', in a long silence: no dearer than at its ends' : ''),
      ]),
      [3, 4],
    ) || '  (nowhere on a road)',
    '',
    'The fixes',
    columns(everyFix ? fixRows(e) : runRows(e), everyFix ? [3] : [1]),
  ]
  if (e.charges.length) parts.push('', 'What it cost', ...e.charges.map((charge) => `  ${charge}`))
  return parts.join('\n')
}

/** Which other road it may have been. */
const besides = (network: Explained['network'], { rival }: Explained['traversals'][number]): string =>
  rival
    ? `, or ${roadName(network, rival.segment)} (${network.roadClass(rival.segment).replace('_', ' ')}): two roads side by side, the cheaper price`
    : ''

function fixRows({ fixes, network, traversals, time }: Explained): string[][] {
  return fixes.map((fix) => {
    const at = [`  ${time(fix.at)}`, fix.lat.toFixed(6), fix.lon.toFixed(6), fix.accuracyM ? `±${fix.accuracyM} m` : '']
    if (fix.traversal === null || !fix.place) return [...at, FATE_WORDS[fix.fate], '']
    const chosen = traversals[fix.traversal].segment
    const others = fix.candidates.filter((c) => c.segment !== chosen && c.segment !== network.reverse(chosen))
    const named = others
      .slice(0, CANDIDATES_SHOWN)
      .map((c) => `${roadName(network, c.segment)} ${c.distanceM.toFixed(1)} m`)
    return [
      ...at,
      `${roadName(network, chosen)}, ${fix.place.distanceM.toFixed(1)} m off`,
      named.length
        ? `not ${named.join(', ')}${others.length > CANDIDATES_SHOWN ? `, ${others.length - CANDIDATES_SHOWN} more` : ''}`
        : '',
    ]
  })
}

function runRows({ fixes, time }: Explained): string[][] {
  const rows: string[][] = []
  for (let from = 0, to = 0; from < fixes.length; from = to) {
    while (to < fixes.length && fixes[to].fate === fixes[from].fate) to++
    const run = fixes.slice(from, to)
    const off = run.flatMap(({ place }) => place?.distanceM ?? [])
    const mean = off.reduce((sum, m) => sum + m, 0) / off.length
    const times = to - from > 1 ? `${time(run[0].at)} to ${time(run[run.length - 1].at)}` : time(run[0].at)
    rows.push([
      `  ${times}`,
      grouped(run.length),
      FATE_WORDS[run[0].fate] +
        (off.length ? `, ${mean.toFixed(1)} m off on average, ${Math.max(...off).toFixed(1)} m at most` : ''),
    ])
  }
  return rows
}
