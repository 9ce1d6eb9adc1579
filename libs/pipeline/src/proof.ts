import { type AgencyId, type Digest } from '#kernel'
import { merkleProof } from '#ledger'
import { type StatementProof } from '#statement'
import { leavesOf, periodOf, type StatementRow, type Store } from '#store'

/** That a sealed statement is under the published root of its month; undefined before it is sealed. */
export async function proofOf(store: Store, row: StatementRow): Promise<StatementProof | undefined> {
  const period = await periodOf(store, row.agency, row.month)
  if (!period?.root || row.leaf === null) return undefined
  const leaves = await store.transaction((tx) => leavesOf(tx, row.agency as AgencyId, row.month))
  return { root: period.root as Digest, proof: merkleProof(leaves, row.leaf) }
}
