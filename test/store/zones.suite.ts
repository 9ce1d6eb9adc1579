import { cutNetwork, type Roads, type Zone } from '#geofencing'
import { chance } from '#kernel'
import { lengthM, metresPerDegreeLat, metresPerDegreeLon } from '#road-network'
import { type Store } from '#store'

const LON = 4.35
const LAT = 50.85
const KX = metresPerDegreeLon(LAT)
const KY = metresPerDegreeLat(LAT)

type Point = [number, number]
const at = (x: number, y: number): Point => [LON + x / KX, LAT + y / KY]

/**
 * The oracle of the cut: what PostGIS says of the same segment and the same polygon. All pairs on a server, where that takes seconds;
 * some of them in the embedded one, which works out so many in minutes.
 */
export function zonesSuite(store: () => Store, pairsMax: number): void {
  it(`cut as ST_Intersection does, within 2 mm and 1 ppm, for ${pairsMax} random pairs`, async () => {
    const dice = chance('zones against PostGIS')
    // Each pair by itself: a street of 1 to 4 pieces, up to 800 m, and a star of 3 to 12 corners somewhere about it.
    const pairs = Array.from({ length: pairsMax }, () => {
      let [x, y, heading] = [dice.next() * 400, dice.next() * 400, dice.next() * 2 * Math.PI]
      const line = [at(x, y)]
      for (let piece = 1 + dice.below(4); piece > 0; piece--) {
        const m = 5 + dice.next() * 200
        heading += dice.next() - 0.5
        line.push(at((x += m * Math.cos(heading)), (y += m * Math.sin(heading))))
      }
      const corners = 3 + dice.below(10)
      const [cx, cy] = [dice.next() * 400, dice.next() * 400]
      const ring = Array.from({ length: corners }, (_, k) => {
        const turn = ((k + 0.8 * dice.next()) * 2 * Math.PI) / corners
        const r = 20 + dice.next() * 300
        return at(cx + r * Math.cos(turn), cy + r * Math.sin(turn))
      })
      return { line, ring: [...ring, ring[0]] }
    })
    const ours = pairs.map(({ line, ring }) => {
      const metres = line.slice(1).reduce((sum, q, i) => sum + lengthM(line[i][0], line[i][1], q[0], q[1]), 0)
      const road: Roads = {
        segmentCount: 1,
        lengthMm: () => Math.round(metres * 1000),
        reverse: () => -1,
        shape: () => Float64Array.from(line.flat()),
        name: () => '',
        find: () => -1,
      }
      const zone: Zone = { id: 'z', geometry: { type: 'Polygon', coordinates: [ring] } }
      const parts = cutNetwork(road, [zone]).stretches(0, 0, road.lengthMm(0))
      return parts.reduce((mm, { fromMm, toMm, zones }) => (zones.length ? mm + toMm - fromMm : mm), 0)
    })
    const wkt = (points: readonly Point[]) => points.map(([lon, lat]) => `${lon} ${lat}`).join(',')
    let cut = 0
    let along = 0
    let worst = 0
    for (let from = 0; from < pairsMax; from += 1_000) {
      const page = pairs.slice(from, from + 1_000)
      const rows = await store().read<{ valid: boolean; m: number; near: number }>(
        `select ST_IsValid(z) as valid, ST_Length(ST_Intersection(l, z)::geography) as m,
           ST_Length(ST_Intersection(l, ST_Buffer(ST_Boundary(z)::geography, 1.1)::geometry)::geography) as near
         from (select place, ST_GeomFromText('LINESTRING(' || line || ')', 4326) as l, ST_GeomFromText('POLYGON((' || ring || '))', 4326) as z
           from unnest($1::text[], $2::text[]) with ordinality as pair(line, ring, place)) pairs order by place`,
        [page.map(({ line }) => wkt(line)), page.map(({ ring }) => wkt(ring))],
      )
      rows.forEach(({ valid, m, near }, i) => {
        if (!valid) return
        // A road within a metre of the boundary for 30 m (or nearly all of it) runs along it, which PostGIS doesn't know.
        if (near >= 30 || near > 0.85 * lengthOf(page[i].line)) return void along++
        const mm = m * 1000
        cut += Number(mm > 0 && mm < 1000 * lengthOf(page[i].line) - 1)
        worst = Math.max(worst, Math.abs(ours[from + i] - mm) - mm / 1e6)
        if (Math.abs(ours[from + i] - mm) > 2 + mm / 1e6)
          throw new Error(`pair ${from + i}: ${ours[from + i]} mm, PostGIS has ${mm}`)
      })
    }
    // Enough of them are really cut, and few are set aside.
    expect(cut).toBeGreaterThan(pairsMax / 4)
    expect(along).toBeLessThan(pairsMax / 50)
    console.info(
      `${pairsMax} pairs, ${cut} of them cut, ${along} along a boundary: at most ${worst.toFixed(3)} mm beside PostGIS`,
    )
  }, 600_000)
}

const lengthOf = (line: readonly Point[]): number =>
  line.slice(1).reduce((sum, q, i) => sum + lengthM(line[i][0], line[i][1], q[0], q[1]), 0)
