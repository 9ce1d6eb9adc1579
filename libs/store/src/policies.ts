import { type PolicyDocument } from '#contracts'
import { InputError, instant, type AgencyId, type Digest, type Instant } from '#kernel'
import { filingFaults, policyDigest, validityOf, type Filing } from '#policy'
import { isFourEyes } from './policy-life'
import { type Tx } from './store'

/**
 * Publishes a policy directly and returns its digest: for agencies that have never named an approver. The same document again
 * changes nothing. InputError says all that speaks against it (`filingFaults`).
 */
export async function filePolicy(tx: Tx, agency: AgencyId, document: PolicyDocument, now: Instant): Promise<Digest> {
  if (await isFourEyes(tx, agency))
    throw new InputError(
      'FOUR_EYES',
      `${agency} has named who approves its policies: policy ${document.id} must be drafted, backtested, submitted, and approved by somebody else`,
    )
  return publishPolicy(tx, agency, document, now, null)
}

/** Makes a policy public and final. `noticeMs` is null where nobody approves. */
export async function publishPolicy(
  tx: Tx,
  agency: AgencyId,
  document: PolicyDocument,
  now: Instant,
  noticeMs: number | null,
): Promise<Digest> {
  const { id } = document
  const fingerprint = policyDigest(document)
  const filing = await filingOf(tx, agency, now, noticeMs)
  refuseFaults(document, filing)
  const saved = await tx.run(
    `insert into tariff.policy (agency, id, digest, document, starts_at, recorded_at) values ($1, $2, $3, $4, $5, $6) on conflict (agency, id) do nothing`,
    [agency, id, fingerprint, JSON.stringify(document), validityOf(document).from, now],
  )
  if (saved > 0)
    for (const [zoneId, zone] of Object.entries(document.zones))
      if (zone.geometry)
        await tx.run(
          `insert into tariff.zone (agency, policy, id, name, shape) values ($1, $2, $3, $4, ST_SetSRID(ST_GeomFromGeoJSON($5), 4326))`,
          [agency, id, zoneId, zone.name, JSON.stringify(zone.geometry)],
        )
  return fingerprint
}

/** What a policy is to be published among. */
export async function filingOf(tx: Tx, agency: AgencyId, now: Instant, noticeMs: number | null): Promise<Filing> {
  const driven = await tx.row<{ last: string | null }>(
    `select max(started_at) as last from metering.trip where agency = $1`,
    [agency],
  )
  return {
    published: await policiesOf(tx, agency),
    now,
    drivenUntil: driven?.last ? instant(Number(driven.last)) : null,
    noticeMs,
  }
}

/** InputError with the code of the first fault, and all of them. */
export function refuseFaults(policy: PolicyDocument, filing: Filing): void {
  const faults = filingFaults(policy, filing)
  if (faults.length === 0) return
  const [first] = faults
  throw new InputError(
    first.code,
    `policy ${policy.id} can't be published: ${first.path}: ${first.expected}, found ${first.found}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`,
    faults.map(({ path, expected, found }) => ({ path, expected, found })),
  )
}

/** An agency's published policies, oldest start first. */
export const policiesOf = async (tx: Tx, agency: AgencyId): Promise<{ document: PolicyDocument; digest: Digest }[]> =>
  tx.rows(`select document, digest from tariff.policy where agency = $1 order by starts_at`, [agency])

/** The same with when each was published. */
export const publishedPolicies = async (
  tx: Tx,
  agency: AgencyId,
): Promise<{ document: PolicyDocument; publishedAt: Instant }[]> =>
  (
    await tx.rows<{ document: PolicyDocument; recorded_at: string }>(
      `select document, recorded_at from tariff.policy where agency = $1 order by starts_at`,
      [agency],
    )
  ).map(({ document, recorded_at }) => ({ document, publishedAt: instant(Number(recorded_at)) }))

/** Digests of an agency's policies: what tells whether there is a new one. */
export const policyDigests = async (tx: Tx, agency: AgencyId): Promise<Digest[]> =>
  (
    await tx.rows<{ digest: Digest }>(`select digest from tariff.policy where agency = $1 order by starts_at`, [agency])
  ).map((row) => row.digest)

/** The shapes of an agency's zones as GeoJSON, by id; of a zone that several policies have, the latest. */
export const zoneShapes = async (tx: Tx, agency: AgencyId): Promise<Map<string, unknown>> =>
  new Map(
    (
      await tx.rows<{ id: string; shape: unknown }>(
        `select z.id, ST_AsGeoJSON(z.shape)::json as shape from tariff.zone z join tariff.policy p on p.agency = z.agency and p.id = z.policy
         where z.agency = $1 order by p.starts_at`,
        [agency],
      )
    ).map(({ id, shape }) => [id, shape]),
  )
