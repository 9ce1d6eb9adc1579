import { cutNetwork, type ZoneCut } from '#geofencing'
import { type PolicyDocument } from '#contracts'
import { InputError, invariant, type AgencyId, type Digest, type Instant, type PolicyId } from '#kernel'
import { Matcher } from '#map-matching'
import { cuttingZones, policyInForce } from '#policy'
import { compilePolicy, tariffAt, type CompiledPolicy } from '#rating'
import { unpackNetwork, type RoadNetwork } from '#road-network'
import { packedNetwork, policiesOf, policyDigests, type Tx } from '#store'
import { Reratings } from './rerating-threads'

/** The tariff of an agency, over time. */
export interface Tariff {
  readonly documents: readonly PolicyDocument[]
  readonly digests: ReadonlyMap<PolicyId, Digest>
  inForce(at: Instant): PolicyDocument | null
  compiledAt(at: Instant): CompiledPolicy | null
}

const NETWORKS_MAX = 4
const DRAFTS_MAX = 8

/** Networks, zone cuts and tariffs, made once and kept: what is the same for all trips. Keys are digests, so nothing goes stale. */
export class Reference {
  readonly reratings = new Reratings()
  private readonly networks = new Map<Digest, { network: RoadNetwork; matcher: Matcher; cuts: Map<Digest, ZoneCut> }>()
  private readonly drafts = new Map<Digest, CompiledPolicy>()
  private readonly tariffs = new Map<AgencyId, { key: string; tariff: Tariff }>()

  async network(tx: Tx, agency: AgencyId, digest: Digest) {
    let known = this.networks.get(digest)
    if (!known) {
      const packed = await packedNetwork(tx, agency, digest)
      if (!packed) throw new InputError('NO_NETWORK', `network ${digest} of ${agency} is not here any more`)
      const network = unpackNetwork(packed)
      invariant(network.digest === digest, `network ${digest} is not what it was`)
      known = { network, matcher: new Matcher(network), cuts: new Map() }
    }
    this.networks.delete(digest)
    this.networks.set(digest, known)
    if (this.networks.size > NETWORKS_MAX) this.networks.delete(this.networks.keys().next().value!)
    return known
  }

  async tariff(tx: Tx, agency: AgencyId): Promise<Tariff> {
    const key = (await policyDigests(tx, agency)).join()
    let known = this.tariffs.get(agency)
    if (known?.key !== key) {
      const rows = await policiesOf(tx, agency)
      const documents = rows.map((row) => row.document)
      const compiledAt = tariffAt(documents)
      known = {
        key,
        tariff: {
          documents,
          digests: new Map(rows.map((row) => [row.document.id as PolicyId, row.digest])),
          inForce: (at) => policyInForce(documents, at),
          compiledAt,
        },
      }
      this.tariffs.set(agency, known)
    }
    return known.tariff
  }

  /** How the zones of the policy in force at a moment cut a network. */
  async zonesAt(tx: Tx, agency: AgencyId, digest: Digest): Promise<(at: Instant) => ZoneCut | null> {
    const known = await this.network(tx, agency, digest)
    const tariff = await this.tariff(tx, agency)
    return (at) => {
      const policy = tariff.inForce(at)
      return policy && cutBy(known, tariff.digests.get(policy.id as PolicyId)!, policy)
    }
  }

  /** A draft, ready to rate with: its tables, and how its zones cut a network. */
  async draft(tx: Tx, agency: AgencyId, network: Digest, key: Digest, document: PolicyDocument) {
    const cut = cutBy(await this.network(tx, agency, network), key, document)
    let compiled = this.drafts.get(key)
    if (!compiled) {
      this.drafts.set(key, (compiled = compilePolicy(document)))
      if (this.drafts.size > DRAFTS_MAX) this.drafts.delete(this.drafts.keys().next().value!)
    }
    return { cut, compiled }
  }
}

function cutBy(
  { network, cuts }: { readonly network: RoadNetwork; readonly cuts: Map<Digest, ZoneCut> },
  key: Digest,
  policy: PolicyDocument,
): ZoneCut {
  let cut = cuts.get(key)
  if (!cut) cuts.set(key, (cut = cutNetwork(network, cuttingZones(policy))))
  return cut
}
