import { metresPerDegreeLat, metresPerDegreeLon, type RoadClass, type RoadNetwork } from '#road-network'
import { html, type Markup } from '#statement'
import { FATE_WORDS, joins, lineOf, roadName, sureness, type Explained, type Piece } from './explained'

/** Metres east and south of the middle of the drive. */
export type Point = readonly [x: number, y: number]
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** The plane that touches the earth in the middle of a drive: true to about a thousandth for a drive of 100 km. */
export class Plane {
  private readonly kx: number
  private readonly ky: number
  constructor(
    private readonly lon: number,
    private readonly lat: number,
  ) {
    this.kx = metresPerDegreeLon(lat)
    this.ky = metresPerDegreeLat(lat)
  }
  of(lon: number, lat: number): Point {
    return [(lon - this.lon) * this.kx, (this.lat - lat) * this.ky]
  }
  line(network: RoadNetwork, piece: Piece): Point[] {
    return lineOf(network, piece).map(([lon, lat]) => this.of(lon, lat))
  }
}

export function boxOf(points: readonly Point[], margin: number): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [x, y] of points) {
    if (x < left) left = x
    if (x > right) right = x
    if (y < top) top = y
    if (y > bottom) bottom = y
  }
  return { left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin }
}

const touches = (a: Box, b: Box): boolean =>
  a.left <= b.right && a.right >= b.left && a.top <= b.bottom && a.bottom >= b.top

/** A road as it is drawn: once, for both directions. */
interface Road {
  readonly line: readonly Point[]
  readonly box: Box
  readonly rank: number
}

/** Width on the ground in metres, and the least on the drawing in pixels, by how much a road matters. */
const RANKS: readonly { readonly classes: readonly RoadClass[]; readonly m: number; readonly px: number }[] = [
  { classes: ['service', 'track', 'ferry'], m: 3.5, px: 0.6 },
  { classes: ['residential', 'living_street', 'unclassified', 'road'], m: 6, px: 1 },
  { classes: ['tertiary', 'secondary'], m: 8, px: 1.8 },
  { classes: ['primary', 'trunk', 'motorway'], m: 11, px: 2.8 },
]

/** Every road near a drive. */
export function roadsNear(network: RoadNetwork, plane: Plane, near: Box): Road[] {
  const roads: Road[] = []
  for (let segment = 0; segment < network.segmentCount; segment++) {
    const back = network.reverse(segment)
    if (back >= 0 && back < segment) continue
    const shape = network.shape(segment)
    const line = Array.from({ length: shape.length / 2 }, (_, i) => plane.of(shape[2 * i], shape[2 * i + 1]))
    const box = boxOf(line, 0)
    if (!touches(box, near)) continue
    const roadClass = network.roadClass(segment)
    roads.push({ line, box, rank: RANKS.findIndex(({ classes }) => classes.includes(roadClass)) })
  }
  return roads.sort((a, b) => a.rank - b.rank)
}

export interface MapOptions {
  readonly box: Box
  readonly width: number
  readonly height: number
  /** Numbered places. */
  readonly marks: readonly { readonly at: Point; readonly number: number }[]
  readonly label: string
}

const DOTS_APART_PX = 3.5
/** Below it the fixes on the road would only hide it. */
const DOTS_SCALE_MIN = 0.12
const ARROWS_APART_PX = 90
const LABELS_APART_PX = 70
const LABEL_PX = 6.2

/** One map: the roads, what was truly driven, what was found, the fixes and where they were put. */
export function mapSvg(e: Explained, plane: Plane, roads: readonly Road[], options: MapOptions): Markup {
  const { box, width, height, label } = options
  const scale = Math.min(width / (box.right - box.left), height / (box.bottom - box.top))
  const [midX, midY] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2]
  const at = ([x, y]: Point): Point => [width / 2 + (x - midX) * scale, height / 2 + (y - midY) * scale]
  const seen: Box = {
    left: midX - width / 2 / scale,
    right: midX + width / 2 / scale,
    top: midY - height / 2 / scale,
    bottom: midY + height / 2 / scale,
  }
  const d = (line: readonly Point[]) => line.map((p, i) => `${i ? 'L' : 'M'}${at(p).map(tenth).join(' ')}`).join('')
  const visible = (line: readonly Point[]) => touches(boxOf(line, 0), seen)

  const base = RANKS.map(({ m, px }, rank) => {
    const drawn = roads.filter((road) => road.rank === rank && touches(road.box, seen))
    return html`<path
      class="r r${rank}"
      stroke-width="${tenth(Math.max(px, m * scale))}"
      d="${drawn.map(({ line }) => d(line)).join('')}"
    />`
  })
  const lines = e.traversals.map((t) => plane.line(e.network, t))
  const bold = Math.min(9, Math.max(3, 7 * scale))
  const truth = (e.truth ?? []).map((piece) => plane.line(e.network, piece)).filter(visible)
  const way = e.traversals.map((t, i) => {
    if (!visible(lines[i])) return null
    const words = `${e.time(t.enteredAt)} ${roadName(e.network, t.segment)}, ${((t.toMm - t.fromMm) / 1000).toFixed(1)} m, ${sureness(t)}`
    return html`<path
      class="w ${t.confidence >= 900 ? 'sure' : t.confidence >= 600 ? 'less' : 'un'}${t.inferred ? ' inf' : ''}"
      d="${d(lines[i])}"
      ><title>${words}</title></path
    >`
  })
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    <rect class="ground" width="${width}" height="${height}" />
    <g fill="none">${base}</g>
    ${truth.length ? html`<path class="truth" fill="none" stroke-width="${tenth(bold + 7)}" d="${truth.map(d).join('')}" />` : null}
    <g fill="none" stroke-width="${tenth(bold)}">${way}</g>
    ${arrows(lines, at, seen)} ${dots(e, plane, at, seen, scale)} ${breaks(e, lines, at, seen)}
    ${labels(e, lines, at, width, height)}
    ${options.marks.filter((mark) => contains(seen, mark.at)).map((mark) => markOf(at(mark.at), mark.number))}
    ${scaleBar(scale, height)}
  </svg>`
}

const tenth = (n: number): number => Math.round(n * 10) / 10
const contains = ({ left, right, top, bottom }: Box, [x, y]: Point): boolean =>
  x >= left && x <= right && y >= top && y <= bottom

/** Chevrons in the direction of travel. */
function arrows(lines: readonly (readonly Point[])[], at: (p: Point) => Point, seen: Box): Markup {
  let left = ARROWS_APART_PX / 2
  let path = ''
  for (const line of lines)
    for (let i = 1; i < line.length; i++) {
      const [a, b] = [at(line[i - 1]), at(line[i])]
      const length = Math.hypot(b[0] - a[0], b[1] - a[1])
      if (length === 0) continue
      const [ux, uy] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length]
      if (!contains(seen, line[i]) && !contains(seen, line[i - 1])) continue
      for (; left < length; left += ARROWS_APART_PX) {
        const [x, y] = [a[0] + ux * left, a[1] + uy * left]
        const wing = (side: number) => `${tenth(x - 3 * ux - 2.6 * side * uy)} ${tenth(y - 3 * uy + 2.6 * side * ux)}`
        path += `M${wing(1)}L${tenth(x)} ${tenth(y)}L${wing(-1)}`
      }
      left -= length
    }
  return html`<path class="arrow" d="${path}" />`
}

/** Fixes, and a hair to where each was put; in a crowd only some, but every one that is not on the road. */
function dots(e: Explained, plane: Plane, at: (p: Point) => Point, seen: Box, scale: number): Markup {
  const hairs: string[] = []
  const circles: Markup[] = []
  const r = scale > 0.5 ? 2.6 : 1.6
  let last: Point = [-1e9, -1e9]
  for (const fix of e.fixes) {
    if (fix.fate === 'invalid') continue
    const place = plane.of(fix.lon, fix.lat)
    if (!contains(seen, place)) continue
    const p = at(place)
    const isCrowd = scale < DOTS_SCALE_MIN || Math.hypot(p[0] - last[0], p[1] - last[1]) < DOTS_APART_PX
    if (fix.fate === 'matched' && isCrowd) continue
    last = p
    const [x, y] = p.map(tenth)
    if (fix.place) {
      const [u, v] = at(plane.of(fix.place.lon, fix.place.lat)).map(tenth)
      if (Math.hypot(u - x, v - y) > r) hairs.push(`M${x} ${y}L${u} ${v}`)
    }
    const words = `${e.time(fix.at)} ${FATE_WORDS[fix.fate]}${fix.place ? `, ${fix.place.distanceM.toFixed(1)} m off` : ''}`
    circles.push(html`<circle class="f ${fix.fate}" cx="${x}" cy="${y}" r="${r}"><title>${words}</title></circle>`)
  }
  return html`<path class="hair" d="${hairs.join('')}" />${circles}`
}

/** Where the drive was lost: a cross where it ends and one where it begins anew; and its two ends. */
function breaks(e: Explained, lines: readonly (readonly Point[])[], at: (p: Point) => Point, seen: Box): Markup {
  const spots: Markup[] = []
  const put = (p: Point, name: string) => {
    if (!contains(seen, p)) return
    const [x, y] = at(p).map(tenth)
    spots.push(
      name === 'lost'
        ? html`<path class="lost" d="M${x - 4} ${y - 4}l8 8m0-8l-8 8" />`
        : html`<circle class="${name}" cx="${x}" cy="${y}" r="5.5" />`,
    )
  }
  for (let i = 1; i < lines.length; i++)
    if (!joins(e.network, e.traversals[i - 1], e.traversals[i])) {
      put(lines[i - 1][lines[i - 1].length - 1], 'lost')
      put(lines[i][0], 'lost')
    }
  if (lines.length) {
    put(lines[0][0], 'start')
    put(lines[lines.length - 1].at(-1)!, 'goal')
  }
  return html`${spots}`
}

/** Names of the roads that were driven, along them, where there is room. */
function labels(
  e: Explained,
  lines: readonly (readonly Point[])[],
  at: (p: Point) => Point,
  width: number,
  height: number,
): Markup {
  const pieces: { a: Point; b: Point; length: number; name: string }[] = []
  e.traversals.forEach(({ segment }, i) => {
    const name = e.network.name(segment)
    if (!name) return
    for (let k = 1; k < lines[i].length; k++) {
      let [a, b] = [at(lines[i][k - 1]), at(lines[i][k])]
      const length = Math.hypot(b[0] - a[0], b[1] - a[1])
      if (b[0] < a[0]) [a, b] = [b, a]
      pieces.push({ a, b, length, name })
    }
  })
  const put: Point[] = []
  const named = new Set<string>()
  const texts: Markup[] = []
  for (const { a, b, length, name } of pieces.sort((p, q) => q.length - p.length)) {
    const room = name.length * LABEL_PX
    if (named.has(name) || length < Math.min(room, 46)) continue
    const mid: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
    const angle = Math.atan2(b[1] - a[1], b[0] - a[0])
    const [reachX, reachY] = [14 + (Math.cos(angle) * room) / 2, 14 + (Math.abs(Math.sin(angle)) * room) / 2]
    if (mid[0] < reachX || mid[0] > width - reachX || mid[1] < reachY || mid[1] > height - reachY) continue
    if (put.some((p) => Math.hypot(p[0] - mid[0], p[1] - mid[1]) < LABELS_APART_PX)) continue
    texts.push(
      html`<text
        class="name"
        transform="translate(${tenth(mid[0])} ${tenth(mid[1])}) rotate(${tenth((angle * 180) / Math.PI)})"
        dy="-7"
        >${name}</text
      >`,
    )
    named.add(name)
    put.push(mid)
  }
  return html`${texts}`
}

const markOf = ([x, y]: Point, number: number): Markup =>
  html`<g class="mark" transform="translate(${tenth(x)} ${tenth(y)})"
    ><circle r="9" /><text dy="3.6">${number}</text></g
  >`

function scaleBar(scale: number, height: number): Markup {
  const aimed = 110 / scale
  const power = 10 ** Math.floor(Math.log10(aimed))
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= aimed) ?? power
  const words = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`
  const y = height - 14
  return html`<g class="scale"
    ><path d="M14 ${y - 4}v4h${tenth(metres * scale)}v-4" /><text x="${tenth(20 + metres * scale)}" y="${y}"
      >${words}</text
    ></g
  >`
}
