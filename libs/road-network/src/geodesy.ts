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

/**
 * Metres per degree at a latitude, without trigonometry for every point of a drive: quadratic about the nearest 0.01 degrees
 * (error below 1e-9), whose coefficients are kept until the latitude is nearer to another.
 */
export class LocalScale {
  lonM = 0
  latM = 0
  private row = NaN
  private readonly lon = [0, 0, 0]
  private readonly lat = [0, 0, 0]

  at(lat: number): void {
    const row = Math.round(lat * ROWS_PER_DEGREE)
    if (row !== this.row) {
      this.row = row
      quadratic(metresPerDegreeLon, row / ROWS_PER_DEGREE, this.lon)
      quadratic(metresPerDegreeLat, row / ROWS_PER_DEGREE, this.lat)
    }
    const d = lat - row / ROWS_PER_DEGREE
    this.lonM = this.lon[0] + d * (this.lon[1] + d * this.lon[2])
    this.latM = this.lat[0] + d * (this.lat[1] + d * this.lat[2])
  }

  /** Metres between two points near that latitude, on the plane that touches the earth there. */
  distanceM(lon1: number, lat1: number, lon2: number, lat2: number): number {
    const x = lonDifference(lon2, lon1) * this.lonM
    const y = (lat2 - lat1) * this.latM
    return Math.sqrt(x * x + y * y)
  }
}

const ROWS_PER_DEGREE = 100
/** Coefficients of the parabola through three values, 0.01 degrees apart. */
function quadratic(of: (lat: number) => number, lat: number, into: number[]): void {
  const step = 0.01
  const [below, here, above] = [of(lat - step), of(lat), of(lat + step)]
  into[0] = here
  into[1] = (above - below) / (2 * step)
  into[2] = (above - 2 * here + below) / (2 * step * step)
}
