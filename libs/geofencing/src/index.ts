export { ALONG_M_MAX, cutNetwork, type Roads } from './cut'
export { ZoneCut, type ZoneStretch } from './zone-cut'
export type { Zone, ZoneGeometry } from './zone-edges'
