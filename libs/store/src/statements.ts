import { type AccountId, type AgencyId, type Digest, type Instant, type Micros, type StatementId } from '#kernel'
import { type MerkleTile } from '#ledger'
import { type Period } from './periods'
import { type Principal } from './identity'
import { type PeriodRow, type StatementRow } from './rows'
import { columns, joined, type Store, type Tx } from './store'

export const STATEMENTS_MAX = 200

/** A citizen's are those of the own account, everybody else's all of the agency: of those, totals alone are for showing. */
const owned = ({ role, agency, account }: Principal): [sql: string, values: string[]] =>
  role === 'citizen' ? ['agency = $1 and account = $2', [agency, account!]] : ['agency = $1', [agency]]

/** The first STATEMENTS_MAX statements that are somebody's, or the one that is named, newest month first. */
export const statementsFor = (store: Store, who: Principal, id?: string): Promise<StatementRow[]> =>
  store.reading((tx) => statementsIn(tx, who, id))

/** The same, and how many there are beyond those that are listed. */
export const listStatements = (store: Store, who: Principal): Promise<{ rows: StatementRow[]; count: number }> =>
  store.reading(async (tx) => {
    const [sql, values] = owned(who)
    const [rows, [{ n }]] = await Promise.all([
      statementsIn(tx, who),
      tx.rows<{ n: string }>(`select count(*) as n from money.statement where ${sql}`, values),
    ])
    return { rows, count: Number(n) }
  })

async function statementsIn(tx: Tx, who: Principal, id?: string): Promise<StatementRow[]> {
  const [sql, values] = owned(who)
  const rows = await tx.rows<Omit<StatementRow, 'due' | 'exact'> & { due: string; exact: string }>(
    `select id, agency, account, month, state, document, digest, due, exact, leaf from money.statement
     where ${sql}${id === undefined ? '' : ` and id = $${values.length + 1}`} order by month desc, account limit ${STATEMENTS_MAX}`,
    id === undefined ? values : [...values, id],
  )
  return rows.map((row) => ({ ...row, due: BigInt(row.due) as Micros, exact: BigInt(row.exact) as Micros }))
}

type PeriodNews = Pick<PeriodRow, 'state' | 'draftedAt' | 'sealedAt' | 'root' | 'size'>

export async function periodOf(store: Store, agency: string, month: string): Promise<PeriodNews | null> {
  const row = await store.reading((tx) =>
    tx.row<Omit<PeriodNews, 'draftedAt' | 'sealedAt'> & Record<'draftedAt' | 'sealedAt', string | null>>(
      `select state, drafted_at as "draftedAt", sealed_at as "sealedAt", root, size from money.period where agency = $1 and month = $2`,
      [agency, month],
    ),
  )
  return row && { ...row, draftedAt: momentOf(row.draftedAt), sealedAt: momentOf(row.sealedAt) }
}

const momentOf = (value: string | null): Instant | null => (value === null ? null : (Number(value) as Instant))

/** A statement that is not sealed yet, as its bytes. */
export interface StatementFile {
  readonly id: StatementId
  readonly account: AccountId
  readonly document: string
  readonly digest: Digest
  readonly due: Micros
  /** Before rounding. */
  readonly exact: Micros
}

/** Why a statement must not be sealed before a person has looked at it. */
export interface Hold {
  readonly reason: string
  readonly detail: string
}

export interface AccountPage {
  readonly id: AccountId
  readonly name: string
  /** The exact amount of the newest statement of an earlier month. */
  readonly lastExact: Micros | null
}

/** Accounts are drafted in parts, each by a worker of its own. */
export const DRAFT_PARTS = 4
const PART = (id: string) => `(hashtextextended(${id}, 0) & ${DRAFT_PARTS - 1})`

/**
 * Accounts of one part of the agency's that are without a statement of the month, at most `most`. It goes through the accounts once in
 * the order of their ids, and then takes those that were added behind it.
 */
export async function undraftedAccounts(
  tx: Tx,
  { agency, month }: Period,
  part: number,
  most: number,
): Promise<AccountPage[]> {
  const take = (behind: string) =>
    tx.rows<{ id: AccountId; name: string; last: string | null }>(
      `select id, name, (select exact from money.statement s where s.account = a.id and s.month < $2 order by s.month desc limit 1) as last
       from metering.account a where agency = $1 and ${PART('id')} = $3 and ${behind}
         and not exists (select 1 from money.statement s where s.account = a.id and s.month = $2) order by id limit $4`,
      [agency, month, part, most],
    )
  const ahead = await take(
    `id > coalesce((select account from money.statement where agency = $1 and month = $2 and ${PART('account')} = $3 order by account desc limit 1), '')`,
  )
  const rows = ahead.length > 0 ? ahead : await take('true')
  return rows.map(({ id, name, last }) => ({ id, name, lastExact: last === null ? null : (BigInt(last) as Micros) }))
}

/** Whether accounts of the agency are without a statement of the month: an account stays its agency's and has one a month at most. */
export const hasUndrafted = async (tx: Tx, { agency, month }: Period): Promise<boolean> =>
  (await tx.row(
    `select 1 where (select count(*) from metering.account where agency = $1) > (select count(*) from money.statement where agency = $1 and month = $2)`,
    [agency, month],
  )) !== null

export async function saveDrafts(
  tx: Tx,
  { agency, month }: Period,
  files: readonly (StatementFile & { readonly holds: readonly Hold[] })[],
  now: Instant,
): Promise<void> {
  await tx.run(
    `insert into money.statement (id, agency, account, month, state, document, digest, due, exact)
     select id, $1, account, $2, 'draft', document, digest, due::int8, exact::int8 from unnest(${columns(3, 6)}) as s(id, account, document, digest, due, exact)
     on conflict do nothing`,
    [
      agency,
      month,
      joined(files.map((file) => file.id)),
      joined(files.map((file) => file.account)),
      joined(files.map((file) => file.document)),
      joined(files.map((file) => file.digest)),
      joined(files.map((file) => file.due)),
      joined(files.map((file) => file.exact)),
    ],
  )
  const held = files.flatMap(({ id, holds }) => holds.map((hold) => ({ id, ...hold })))
  if (held.length > 0)
    await tx.run(
      `insert into money.statement_hold (statement, reason, detail, held_at)
       select statement, reason, detail, $1 from unnest($2::text[], $3::text[], $4::text[]) as h(statement, reason, detail) on conflict do nothing`,
      [now, held.map(({ id }) => id), held.map(({ reason }) => reason), held.map(({ detail }) => detail)],
    )
}

/** Drafts of a period, in order of their ids; at most `most`. */
export const drafts = async (
  tx: Tx,
  { agency, month }: Period,
  most: number,
): Promise<Omit<StatementFile, 'document'>[]> =>
  (
    await tx.rows<Omit<StatementFile, 'due' | 'exact' | 'document'> & { due: string; exact: string }>(
      `select id, account, digest, due, exact from money.statement where agency = $1 and month = $2 and state = 'draft' order by id limit $3`,
      [agency, month, most],
    )
  ).map((row) => ({ ...row, due: BigInt(row.due) as Micros, exact: BigInt(row.exact) as Micros }))

/** Seals statements at their places among the leaves of the period, the first of them at `leaf`. */
export const sealStatements = (tx: Tx, statements: readonly StatementId[], leaf: number): Promise<number> =>
  tx.run(
    `update money.statement s set state = 'sealed', leaf = $2 + n.place - 1
     from unnest($1::text[]) with ordinality as n(id, place) where s.id = n.id and s.state = 'draft'`,
    [statements, leaf],
  )

const HEX = 64

export const saveTiles = (tx: Tx, { agency, month }: Period, tiles: readonly MerkleTile[]): Promise<number> =>
  tx.run(
    `insert into money.merkle_tile (agency, month, level, index, nodes, root)
     select $1, $2, level, index, nodes, root from unnest($3::int[], $4::int[], $5::text[], $6::text[]) as t(level, index, nodes, root)`,
    [
      agency,
      month,
      tiles.map((tile) => tile.level),
      tiles.map((tile) => tile.index),
      tiles.map((tile) => tile.nodes.join('')),
      tiles.map((tile) => tile.root),
    ],
  )

/** The roots of the tiles of level 0, in order. */
export const tileRoots = async (tx: Tx, { agency, month }: Period): Promise<Digest[]> =>
  (
    await tx.rows<{ root: Digest }>(
      `select root from money.merkle_tile where agency = $1 and month = $2 and level = 0 order by index`,
      [agency, month],
    )
  ).map(({ root }) => root)

/** Tiles of a sealed period, in the order asked for; null where they are not all here. */
export async function tilesAt(
  tx: Tx,
  agency: AgencyId,
  month: string,
  places: readonly Pick<MerkleTile, 'level' | 'index'>[],
): Promise<Pick<MerkleTile, 'nodes'>[] | null> {
  const rows = await tx.rows<{ nodes: string }>(
    `select nodes from money.merkle_tile join unnest($3::int[], $4::int[]) as p(level, index) using (level, index)
     where agency = $1 and month = $2 order by level`,
    [agency, month, places.map(({ level }) => level), places.map(({ index }) => index)],
  )
  if (rows.length < places.length) return null
  return rows.map(({ nodes }) => ({ nodes: (nodes.match(new RegExp(`.{${HEX}}`, 'g')) ?? []) as Digest[] }))
}

/** Digests of a period's statements, in the order of the Merkle tree's leaves. */
export const leavesOf = async (tx: Tx, agency: AgencyId, month: string): Promise<Digest[]> =>
  (
    await tx.rows<{ digest: Digest }>(
      `select digest from money.statement where agency = $1 and month = $2 order by id`,
      [agency, month],
    )
  ).map((r) => r.digest)

/** A statement that is stopped, and by whom it was let go on. */
export interface HeldStatement extends Hold {
  readonly statement: StatementId
  readonly account: AccountId
  readonly month: string
  readonly heldAt: Instant
  readonly releasedBy: string | null
  readonly why: string | null
  readonly releasedAt: Instant | null
}

/** Holds of an agency's statements, newest month first: those that nobody released yet, or all. */
export const holdsOf = async (tx: Tx, agency: AgencyId, all = false): Promise<HeldStatement[]> =>
  (
    await tx.rows<HeldStatement>(
      `select s.id as statement, s.account, s.month, h.reason, h.detail, h.held_at as "heldAt", r.released_by as "releasedBy", r.why, r.released_at as "releasedAt"
       from money.statement_hold h join money.statement s on s.id = h.statement left join money.hold_release r using (statement, reason)
       where s.agency = $1 ${all ? '' : 'and r.statement is null'} order by s.month desc, s.id, h.reason limit ${STATEMENTS_MAX}`,
      [agency],
    )
  ).map((row) => ({
    ...row,
    heldAt: Number(row.heldAt) as Instant,
    releasedAt: row.releasedAt === null ? null : (Number(row.releasedAt) as Instant),
  }))

/** Whether drafts of a period are stopped. */
export const hasHolds = async (tx: Tx, { agency, month }: Period): Promise<boolean> =>
  (await tx.row(
    `select 1 from money.statement_hold h join money.statement s on s.id = h.statement left join money.hold_release r using (statement, reason)
     where s.agency = $1 and s.month = $2 and r.statement is null limit 1`,
    [agency, month],
  )) !== null

/** Lets a stopped statement go on, for every reason that it is stopped for; returns for how many. */
export const releaseHolds = (
  tx: Tx,
  agency: AgencyId,
  statement: StatementId,
  release: { readonly by: string; readonly why: string; readonly at: Instant },
): Promise<number> =>
  tx.run(
    `insert into money.hold_release (statement, reason, released_by, why, released_at)
     select h.statement, h.reason, $3, $4, $5 from money.statement_hold h join money.statement s on s.id = h.statement
     where s.agency = $1 and h.statement = $2 on conflict do nothing`,
    [agency, statement, release.by, release.why, release.at],
  )

/** The document of a statement, byte for byte. */
export const statementDocument = async (tx: Tx, statement: StatementId): Promise<string> =>
  (await tx.row<{ document: string }>(`select document from money.statement where id = $1`, [statement]))!.document
