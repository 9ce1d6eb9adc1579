import { ROAD_CLASSES, VEHICLE_CLASSES, type ChargeReport, type PolicyDocument, type Stretch } from '#contracts'
import { instant, millimetres, type Chance, type Digest, type TripId, type VehicleId } from '#kernel'
import { metresPerDegreeLat, metresPerDegreeLon } from '#road-network'

type Bounds = readonly [west: number, south: number, east: number, north: number]
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
/** A Monday. */
const MONTH = Date.UTC(2026, 2, 2)

/** Zones of 12 corners, up to a kilometre wide, anywhere on a map. */
export function someZones(count: number, [west, south, east, north]: Bounds, dice: Chance): PolicyDocument['zones'] {
  const zones: PolicyDocument['zones'] = {}
  for (let z = 0; z < count; z++) {
    const [lon, lat] = [west + dice.next() * (east - west), south + dice.next() * (north - south)]
    const m = 200 + dice.next() * 800
    const ring: [number, number][] = Array.from({ length: 12 }, (_, k) => {
      const turn = (k * Math.PI) / 6
      const r = m * (0.7 + 0.3 * dice.next())
      return [
        lon + (r * Math.cos(turn)) / metresPerDegreeLon(lat),
        lat + (r * Math.sin(turn)) / metresPerDegreeLat(lat),
      ]
    })
    zones[`zone-${z}`] = { name: `Zone ${z}`, geometry: { type: 'Polygon', coordinates: [[...ring, ring[0]]] } }
  }
  return zones
}

/** A tariff of many rules: zones, hours, road and vehicle classes in all mixtures, a daily and a monthly cap. */
export function manyRules(id: string, rules: number, zones: PolicyDocument['zones'], dice: Chance): unknown {
  const ids = Object.keys(zones)
  const two = (n: number) => String(n).padStart(2, '0')
  return {
    v: 1,
    id,
    name: `Tariff of ${rules} rules`,
    currency: 'EUR',
    timeZone: 'America/New_York',
    startsAt: '2026-01-01T00:00:00-05:00',
    jurisdiction: 'city',
    zones,
    rules: [
      // Zone by zone four times over, the narrower conditions first: nothing hides what comes after it.
      ...Array.from({ length: rules - 1 }, (_, r) => {
        const hour = dice.below(20)
        const layer = Math.floor((4 * r) / (rules - 1))
        const times = [{ days: DAYS.slice(0, 5), from: `${two(hour)}:00`, to: `${two(hour + 3)}:00` }]
        return {
          id: `rule-${r}`,
          name: `Rule ${r}`,
          match: {
            zones: [ids[r % ids.length]],
            ...(layer < 2 && { times }),
            ...(layer === 1 && { roadClasses: [ROAD_CLASSES[dice.below(9)]] }),
            ...(layer % 2 === 0 && { vehicleClasses: [dice.pick(VEHICLE_CLASSES)] }),
          },
          price: { perKm: `0.${two(1 + dice.below(98))}` },
        }
      }),
      { id: 'rest', name: 'Everywhere else', match: {}, price: { perKm: '0.02' } },
    ],
    caps: [
      { id: 'day', name: 'Daily cap', per: 'day', amount: '8' },
      { id: 'month', name: 'Monthly cap', per: 'month', amount: '120' },
    ],
  }
}

/** Trips of a month, 20 stretches each, on a class of road that changes every fifth of them and in zones that change every tenth. */
export function someReports(trips: number, zones: PolicyDocument['zones'], dice: Chance): ChargeReport[] {
  const ids = Object.keys(zones)
  const sets = Array.from({ length: 200 }, (_, s) =>
    Object.freeze([...new Set(Array.from({ length: s % 4 }, () => dice.pick(ids)))].sort()),
  )
  return Array.from({ length: trips }, (_, trip): ChargeReport => {
    const start = MONTH + dice.below(28 * 1440) * 60_000
    let at = start
    let set = dice.pick(sets)
    let roadClass = ROAD_CLASSES[dice.below(9)]
    let matchedMm = 0
    const stretches = Array.from({ length: 20 }, (_, s): Stretch => {
      if (dice.next() < 0.1) set = dice.pick(sets)
      if (dice.next() < 0.2) roadClass = ROAD_CLASSES[dice.below(9)]
      const mm = 20_000 + dice.below(400_000)
      const enteredAt = at
      at += Math.round(mm / 12)
      matchedMm += mm
      return {
        segment: `${s}.1.2`,
        fromMm: millimetres(0),
        toMm: millimetres(mm),
        enteredAt: instant(enteredAt),
        leftAt: instant(at),
        roadClass,
        access: dice.next() < 0.03 ? 'private' : 'public',
        zones: set,
        inferred: false,
        confidence: 1000,
        fixes: 10,
      }
    })
    return {
      v: 1,
      trip: `trip-${trip}` as TripId,
      vehicle: 'v' as VehicleId,
      startedAt: instant(start),
      endedAt: instant(at),
      network: '0'.repeat(64) as Digest,
      engine: 'bench',
      stretches,
      matchedMm: millimetres(matchedMm),
      fixes: { accepted: 200, matched: 200, unmatched: {} },
      breaks: 0,
    }
  })
}
