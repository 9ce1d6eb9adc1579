import { type AgencyId, type Digest } from '#kernel'
import { merkleProof, proofInTiles, tilesAbove } from '#ledger'
import { type StatementProof } from '#statement'
import { leavesOf, periodOf, policiesOf, tilesAt, type StatementRow, type Store } from '#store'

/** That a sealed statement is under the published root of its month; undefined before it is sealed. */
export async function proofOf(store: Store, row: StatementRow): Promise<StatementProof | undefined> {
  const { month, leaf } = row
  const agency = row.agency as AgencyId
  const period = await periodOf(store, agency, month)
  if (!period?.root || leaf === null) return undefined
  const root = period.root as Digest
  return store.transaction(async (tx) => {
    const { size } = period
    const tiles = size === null ? null : await tilesAt(tx, agency, month, tilesAbove(leaf, size))
    // Months that were sealed before trees were kept have none: theirs is built again.
    if (size === null || !tiles) return { root, proof: merkleProof(await leavesOf(tx, agency, month), leaf) }
    return { root, proof: proofInTiles(leaf, size, tiles) }
  })
}

/** A statement with what it takes to check it: the agency's policies as they were published, and its proof once it is sealed. */
export async function bundleOf(
  store: Store,
  row: StatementRow,
): Promise<{ statement: unknown; policies: unknown[]; proof: StatementProof | null }> {
  const published = await store.transaction((tx) => policiesOf(tx, row.agency as AgencyId))
  return {
    statement: JSON.parse(row.document),
    policies: published.map(({ document }) => document),
    proof: (await proofOf(store, row)) ?? null,
  }
}
