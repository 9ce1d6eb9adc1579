import { open } from './layout'
import { RoadNetwork } from './network'

/** The network's own buffer: write it to a file, or copy it into a SharedArrayBuffer for worker threads. */
export const packNetwork = (network: RoadNetwork): Uint8Array => network.bytes

/** Opens what `packNetwork` gave, in place. Throws InputError NETWORK_BUFFER for a cut, changed or foreign buffer. */
export const unpackNetwork = (bytes: Uint8Array): RoadNetwork => new RoadNetwork(open(bytes))
