import {
  type Charge,
  type ChargeReport,
  type PolicyDocument,
  type PricedLine,
  type RatedVehicle,
  type RoadPiece,
  type RoadUse,
} from '#contracts'
import { instant, KILOMETRE_MM, MILE_MM, millimetres, priceOf, type Instant } from '#kernel'
import { type CompiledPolicy, priceStretches, type StretchPrice } from '#rating'
import { lengthM, type RoadNetwork } from '#road-network'

type Point = readonly [number, number]

/**
 * A drive as a map and a table show it: its stretches, those that follow each other on one road under one rule put together. The
 * stretches' segments must be of `network`.
 */
export function roadPieces(
  report: Pick<ChargeReport, 'stretches'>,
  network: RoadNetwork,
  vehicle: RatedVehicle,
  policyAt: (at: Instant) => CompiledPolicy | null,
): RoadPiece[] {
  const prices = priceStretches(report, vehicle, policyAt)
  const pieces: Open[] = []
  report.stretches.forEach((stretch, i) => {
    const segment = network.find(stretch.segment)
    const price = prices[i]
    const road = segment < 0 ? '' : network.name(segment)
    const { zones } = price
    const key = [road, stretch.roadClass, price.policy, price.rule, price.by, ...zones].join('\n')
    const line = segment < 0 ? [] : lineOf(network, segment, stretch.fromMm, stretch.toMm)
    const last = pieces.at(-1)
    const distanceMm = stretch.toMm - stretch.fromMm
    const follows = last?.key === key && last.leftAt === stretch.enteredAt && meet(last.line.at(-1), line[0])
    if (last && follows) {
      last.distanceMm += distanceMm
      last.inferredMm += stretch.inferred ? distanceMm : 0
      last.leftAt = stretch.leftAt
      last.line.push(...line.slice(1))
    } else {
      const { enteredAt, leftAt, roadClass } = stretch
      const inferredMm = stretch.inferred ? distanceMm : 0
      pieces.push({ key, road, roadClass, zones, enteredAt, leftAt, distanceMm, inferredMm, price, line })
    }
  })
  return pieces
    .filter(({ distanceMm }) => distanceMm > 0)
    .map(({ price, key: _, ...piece }) => {
      const policy = policyAt(instant(piece.enteredAt))?.document ?? null
      return { ...piece, ...namesOf(policy, price.rule, piece.zones), ...priced(price, piece.distanceMm) }
    })
}

/** The pieces of several drives put together by road and rule, dearest first: what a month was driven on. */
export function roadUses(drives: readonly (readonly RoadPiece[])[]): RoadUse[] {
  const uses = new Map<
    string,
    { piece: RoadPiece; trips: Set<number>; mm: number; amount: bigint; lines: Map<string, RoadPiece['line']> }
  >()
  drives.forEach((pieces, drive) => {
    for (const piece of pieces) {
      const key = [piece.road, piece.roadClass, piece.rule, piece.rate?.micros].join('\n')
      let use = uses.get(key)
      if (!use) uses.set(key, (use = { piece, trips: new Set(), mm: 0, amount: 0n, lines: new Map() }))
      use.trips.add(drive)
      use.mm += piece.distanceMm
      use.amount += BigInt(piece.amountMicros)
      // Driven again the same way it is the same line.
      if (piece.line.length > 1) use.lines.set([piece.line[0], piece.line.at(-1), piece.line.length].join(), piece.line)
    }
  })
  return [...uses.values()]
    .sort((a, b) => (a.amount > b.amount ? -1 : a.amount < b.amount ? 1 : b.mm - a.mm))
    .map(({ piece: { road, roadClass, ruleName, rate, freeReason }, trips, mm, amount, lines }) => ({
      road,
      roadClass,
      ruleName,
      rate,
      freeReason,
      trips: trips.size,
      distanceMm: mm,
      amountMicros: String(amount),
      lines: [...lines.values()],
    }))
}

/** The lines that a trip is charged by, as their citizen reads them. */
export function pricedLines(charges: readonly Charge[], policies: readonly PolicyDocument[]): PricedLine[] {
  return charges.map(({ day, roadClass, distanceMm, inferredMm, rate, freeReason, count, amount, ...charge }) => {
    const { ruleName, zones } = namesOf(
      policies.find(({ id }) => id === charge.policy) ?? null,
      charge.rule,
      charge.zones,
    )
    return {
      day,
      roadClass,
      zones,
      distanceMm,
      inferredMm,
      ruleName,
      rate: rate && { micros: String(rate.micros), per: rate.per },
      count: count ?? null,
      freeReason,
      amountMicros: String(amount),
    }
  })
}

interface Open {
  readonly key: string
  readonly road: string
  readonly roadClass: RoadPiece['roadClass']
  readonly zones: readonly string[]
  readonly enteredAt: Instant
  leftAt: Instant
  distanceMm: number
  inferredMm: number
  readonly price: StretchPrice
  readonly line: Point[]
}

const namesOf = (policy: PolicyDocument | null, rule: string, zones: readonly string[]) => ({
  rule,
  ruleName: policy?.rules.find(({ id }) => id === rule)?.name ?? rule,
  zones: zones.map((id) => policy?.zones[id]?.name ?? id),
})

function priced({ rate, freeReason, by }: StretchPrice, distanceMm: number) {
  const per = rate?.per === 'mile' ? MILE_MM : KILOMETRE_MM
  return {
    rate: rate && { micros: String(rate.micros), per: rate.per },
    freeReason,
    pricedBy: by,
    amountMicros: rate ? String(priceOf(millimetres(distanceMm), rate.micros, per)) : '0',
  }
}

const meet = (a: Point | undefined, b: Point | undefined): boolean =>
  a !== undefined && b !== undefined && Math.abs(a[0] - b[0]) < 2e-6 && Math.abs(a[1] - b[1]) < 2e-6

/** [fromMm, toMm) of a segment as points: its two ends there, and its bends between them. */
/** A segment's shape, cut to what was driven of it: longitude and latitude. */
export function lineOf(network: RoadNetwork, segment: number, fromMm: number, toMm: number): Point[] {
  const shape = network.shape(segment)
  const line: Point[] = [rounded(network.pointAt(segment, fromMm))]
  const steps: number[] = []
  for (let i = 2; i < shape.length; i += 2) steps.push(lengthM(shape[i - 2], shape[i - 1], shape[i], shape[i + 1]))
  const whole = steps.reduce((sum, step) => sum + step, 0)
  let at = 0
  for (let i = 0; i < steps.length - 1; i++) {
    at += steps[i]
    const mm = (at / whole) * network.lengthMm(segment)
    if (mm > fromMm && mm < toMm) line.push(rounded([shape[2 * i + 2], shape[2 * i + 3]]))
  }
  line.push(rounded(network.pointAt(segment, toMm)))
  return line
}

/** As fine as the map's own coordinates. */
const rounded = ([lon, lat]: Point): Point => [Math.round(lon * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7]
