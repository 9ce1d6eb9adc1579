import { type PolicyDocument } from '#contracts'
import { type Instant } from '#kernel'
import { leafTiles, statementTransfer, TILE_NODES, upperTiles } from '#ledger'
import { amountOf } from '#policy'
import {
  accountsToSettle,
  drafts,
  publishRoot,
  record,
  saveSize,
  saveTiles,
  sealStatements,
  tileRoots,
  want,
  type Period,
  type Tx,
} from '#store'
import { settleWork } from './settle'

/** A whole number of the Merkle tree's tiles, so that each page adds its own and a crash repeats one page. */
const STATEMENTS_MAX = 2 * TILE_NODES

/**
 * Seals the next page of a period's drafts in the order of their ids: books what they ask for and adds them to the Merkle tree. With the last of them
 * publishes the root. False when all are sealed.
 */
export async function sealPage(tx: Tx, period: Period, terms: PolicyDocument, now: Instant): Promise<boolean> {
  const { agency, month, size } = period
  const files = await drafts(tx, period, STATEMENTS_MAX)
  const occasion = { agency, currency: terms.currency, happenedAt: now }
  await record(
    tx,
    files
      .filter(({ exact }) => exact !== 0n)
      .map(({ id, account, exact }) => ({
        transfer: statementTransfer(
          { ...occasion, payer: account },
          { statement: id },
          exact,
          amountOf(terms.billing.coin),
        ),
        month,
      })),
    now,
  )
  if (files.length > 0) {
    const ids = files.map(({ id }) => id)
    await sealStatements(tx, ids, size)
    await want(tx, (await accountsToSettle(tx, ids)).map(settleWork))
    await saveTiles(
      tx,
      period,
      leafTiles(
        files.map(({ digest }) => digest),
        size / TILE_NODES,
      ),
    )
    await saveSize(tx, period, size + files.length)
  }
  if (files.length === STATEMENTS_MAX) return true
  const { tiles, root } = upperTiles(await tileRoots(tx, period))
  if (tiles.length > 0) await saveTiles(tx, period, tiles)
  await publishRoot(tx, period, root)
  return false
}
