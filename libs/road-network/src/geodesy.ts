// WGS84 (NIMA TR8350.2): semi-major axis in metres, first eccentricity squared.
const A_M = 6_378_137
const E2 = 6.694_379_990_141_317e-3
const RAD = Math.PI / 180
/** Coordinates are kept as OSM keeps them: whole 1e-7 degrees (1.1 cm). */
export const UNITS_PER_DEGREE = 1e7

/** Whether degrees are a place; NaN is none. */
export const isOnEarth = (lon: number, lat: number): boolean => Math.abs(lon) <= 180 && Math.abs(lat) <= 90

/** Metres per degree of latitude on the meridian at `lat`: radius of curvature a(1-e²)/(1-e² sin²φ)^1.5. */
export function metresPerDegreeLat(lat: number): number {
  const sin = Math.sin(lat * RAD)
  const w = 1 - E2 * sin * sin
  return (A_M * (1 - E2) * RAD) / (w * Math.sqrt(w))
}

/** Metres per degree of longitude on the parallel at `lat`: radius a cos φ / sqrt(1-e² sin²φ). */
export function metresPerDegreeLon(lat: number): number {
  const sin = Math.sin(lat * RAD)
  return (A_M * Math.cos(lat * RAD) * RAD) / Math.sqrt(1 - E2 * sin * sin)
}

/** Longitude difference the short way round, degrees in [-180, 180). */
export const lonDifference = (to: number, from: number): number => {
  const d = to - from
  return d >= 180 ? d - 360 : d < -180 ? d + 360 : d
}

/**
 * Length in metres of a straight piece on WGS84: Pythagoras with both radii of curvature at the middle latitude. Its error
 * grows with the square of length over earth radius: below 1e-6 for pieces of 10 km, 1e-4 for 100 km (Vincenty 1975 as oracle).
 */
export function lengthM(lon1: number, lat1: number, lon2: number, lat2: number): number {
  const mid = (lat1 + lat2) / 2
  const x = lonDifference(lon2, lon1) * metresPerDegreeLon(mid)
  const y = (lat2 - lat1) * metresPerDegreeLat(mid)
  return Math.sqrt(x * x + y * y)
}

const ROWS_PER_DEGREE = 100
const ROW_MAX = 90 * ROWS_PER_DEGREE
/** For each 0.01 degrees from -90: the parabolas of metres per degree of longitude and of latitude there; 0 until it is asked for. */
const parabolas = new Float64Array((2 * ROW_MAX + 1) * 6)

/**
 * Metres per degree at a latitude, without trigonometry for every point of a drive: quadratic about the nearest 0.01 degrees
 * (error below 1e-9).
 */
export class LocalScale {
  lonM = 0
  latM = 0

  at(lat: number): void {
    const row = Math.max(-ROW_MAX, Math.min(ROW_MAX, Math.round(lat * ROWS_PER_DEGREE)))
    const i = (row + ROW_MAX) * 6
    if (parabolas[i + 3] === 0) {
      fitParabola(metresPerDegreeLon, row / ROWS_PER_DEGREE, i)
      fitParabola(metresPerDegreeLat, row / ROWS_PER_DEGREE, i + 3)
    }
    const d = lat - row / ROWS_PER_DEGREE
    this.lonM = parabolas[i] + d * (parabolas[i + 1] + d * parabolas[i + 2])
    this.latM = parabolas[i + 3] + d * (parabolas[i + 4] + d * parabolas[i + 5])
  }

  /** Metres between two points near that latitude, on the plane that touches the earth there. */
  distanceM(lon1: number, lat1: number, lon2: number, lat2: number): number {
    const x = lonDifference(lon2, lon1) * this.lonM
    const y = (lat2 - lat1) * this.latM
    return Math.sqrt(x * x + y * y)
  }
}

/** Writes the coefficients of the parabola through three values, 0.01 degrees apart. */
function fitParabola(of: (lat: number) => number, lat: number, at: number): void {
  const step = 1 / ROWS_PER_DEGREE
  const [below, here, above] = [of(lat - step), of(lat), of(lat + step)]
  parabolas[at] = here
  parabolas[at + 1] = (above - below) / (2 * step)
  parabolas[at + 2] = (above - 2 * here + below) / (2 * step * step)
}
