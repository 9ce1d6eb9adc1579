import { type PolicyDocument } from '#contracts'
import { cutNetwork } from '#geofencing'
import { cuttingZones } from '#policy'
import { coverageOf, type Coverage, type Place } from '#rating'
import { type RoadNetwork } from '#road-network'

/** What a policy says of every segment of a network: see `coverageOf`. */
export function coverageOfNetwork(policy: PolicyDocument, network: RoadNetwork): Coverage {
  const cut = cutNetwork(network, cuttingZones(policy))
  const places = new Map<string, Place>()
  cut.each((segment, { fromMm, toMm, zones }) => {
    const [roadClass, access] = [network.roadClass(segment), network.access(segment)]
    const key = `${roadClass} ${access} ${zones.join(' ')}`
    const lengthMm = (places.get(key)?.lengthMm ?? 0) + toMm - fromMm
    places.set(key, { roadClass, access, zones, lengthMm })
  })
  return coverageOf(policy, [...places.values()], cut.roadless)
}
