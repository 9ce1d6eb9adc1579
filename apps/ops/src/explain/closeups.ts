import { counted } from '../printed'
import { FATE_WORDS, joins, metresOf, roadName, type Explained, type Piece } from './explained'
import { boxOf, type Box, type Plane, type Point } from './map'

/** A place of a drive that is worth a look. */
export interface Closeup {
  readonly box: Box
  readonly at: Point
  readonly caption: string
}

const CLOSEUPS_MAX = 8
const APART_M = 200
const WIDTH_M_MIN = 260
const WIDTH_M_MAX = 1_500
const SURE = 800
/** Shorter doubts are of no interest. */
const PIECE_M_MIN = 15

/** Where a drive was lost, guessed, doubted or wrong, the worst first; apart from each other. */
export function closeupsOf(e: Explained, plane: Plane): Closeup[] {
  const found: { weight: number; points: Point[]; caption: string }[] = []
  const note = (weight: number, points: Point[], caption: string) =>
    void (points.length && found.push({ weight, points, caption }))
  const line = (piece: Piece) => plane.line(e.network, piece)
  e.traversals.forEach((t, i) => {
    const metres = metresOf([t])
    const before = e.traversals[i - 1]
    if (before && !joins(e.network, before, t)) {
      const gap = [line(before).at(-1)!, line(t)[0]]
      const apart = Math.hypot(gap[0][0] - gap[1][0], gap[0][1] - gap[1][1])
      note(
        2_000,
        gap,
        `lost at ${e.time(before.leftAt)}, begun anew at ${e.time(t.enteredAt)}: nothing is charged for the ${apart.toFixed(0)} m between`,
      )
    }
    if (metres < PIECE_M_MIN) return
    if (t.inferred)
      note(
        metres,
        line(t),
        `${metres.toFixed(0)} m of ${roadName(e.network, t.segment)} inferred at ${e.time(t.enteredAt)}: no fix lies on them`,
      )
    else if (t.confidence < SURE)
      note(
        (metres * (1000 - t.confidence)) / 250,
        line(t),
        `${metres.toFixed(0)} m of ${roadName(e.network, t.segment)}, ${(t.confidence / 10).toFixed(0)} % sure at ${e.time(t.enteredAt)}`,
      )
  })
  if (e.truth) {
    for (const run of runsWithout(e.truth, e.traversals))
      note(4 * metresOf(run), run.flatMap(line), `${metresOf(run).toFixed(0)} m were driven and not found`)
    for (const run of runsWithout(e.traversals, e.truth))
      note(4 * metresOf(run), run.flatMap(line), `${metresOf(run).toFixed(0)} m were found and not driven`)
  }
  for (let from = 0, to = 0; from < e.fixes.length; from = to) {
    while (to < e.fixes.length && e.fixes[to].fate === e.fixes[from].fate) to++
    const { fate, at } = e.fixes[from]
    if (fate === 'matched' || fate === 'invalid' || fate === 'null-island') continue
    const points = e.fixes.slice(from, to).map(({ lon, lat }) => plane.of(lon, lat))
    note(20 * (to - from), points, `${counted(to - from, 'fix', 'fixes')} at ${e.time(at)}: ${FATE_WORDS[fate]}`)
  }
  const picked: Closeup[] = []
  for (const { points, caption } of found.sort((a, b) => b.weight - a.weight)) {
    if (picked.length === CLOSEUPS_MAX) break
    const at = points[points.length >> 1]
    if (picked.some((c) => Math.hypot(c.at[0] - at[0], c.at[1] - at[1]) < APART_M)) continue
    picked.push({ box: around(points, at), at, caption })
  }
  return picked
}

/** Pieces on segments that the others don't have, in runs. */
function runsWithout(pieces: readonly Piece[], others: readonly Piece[]): Piece[][] {
  const known = new Set(others.map(({ segment }) => segment))
  const runs: Piece[][] = []
  let isOpen = false
  for (const piece of pieces) {
    if (known.has(piece.segment)) isOpen = false
    else if (isOpen) runs[runs.length - 1].push(piece)
    else {
      runs.push([piece])
      isOpen = true
    }
  }
  return runs.filter((run) => metresOf(run) >= PIECE_M_MIN)
}

/** A box that holds the points with room around them, or as much as a close-up shows. */
function around(points: readonly Point[], at: Point): Box {
  const { left, right, top, bottom } = boxOf(points, 60)
  const reach = Math.max(right - left, bottom - top)
  if (reach > WIDTH_M_MAX) return boxOf([at], WIDTH_M_MAX / 2)
  const more = Math.max(0, (WIDTH_M_MIN - reach) / 2)
  return { left: left - more, right: right + more, top: top - more, bottom: bottom + more }
}
