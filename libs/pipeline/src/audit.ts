import { InputError, micros, type Digest, type Instant } from '#kernel'
import { LedgerAudit, type ChainFault, type ChainHead, type KeptEntry, type Transfer } from '#ledger'
import { entryFrom, type EntryRow, type Parameter } from '#store'

/** Reads with SQL of its own, as `reconcile` does: a check that went through what it checks would share its mistakes. */
export type Read = <Row>(sql: string, parameters?: readonly Parameter[]) => Promise<Row[]>

const PAGE = 5_000
const FAULTS_MAX = 100

interface KeptRow extends EntryRow {
  id: string
  kind: string
  agency: string
  payer: string
  happened_at: string
}

export interface LedgerReport {
  readonly entries: number
  readonly faults: readonly (ChainFault | { readonly shard: null; readonly why: string })[]
}

/**
 * Checks the whole ledger against heads that were published outside the database: every entry, what stands beside it, and its
 * postings. Reads in pages; `progress` is told how many entries are done.
 */
export async function auditLedger(
  read: Read,
  published: readonly ChainHead[],
  progress: (done: number, all: number) => void = () => undefined,
): Promise<LedgerReport> {
  const audit = new LedgerAudit(published)
  // Asked first, and entries are read up to there: what is posted meanwhile is for the next audit.
  const stated = (
    await read<{ shard: number; length: string; hash: Digest }>('select shard, length, hash from money.chain')
  ).map((head) => ({ ...head, length: Number(head.length) }))
  const all = stated.reduce((sum, { length }) => sum + length, 0)
  let entries = 0
  for (let after: [number, string] = [-(2 ** 31), '0']; ;) {
    const rows = await read<KeptRow>(
      `select id, kind, agency, payer, happened_at, shard, index, recorded_at, previous, content, hash, salt, transfer
       from money.transfer left join unnest($3::int[], $4::int8[]) as stated(shard, length) using (shard)
       where (shard, index) > ($1, $2) and (length is null or index < length) order by shard, index limit ${PAGE}`,
      [...after, stated.map(({ shard }) => shard), stated.map(({ length }) => length)],
    )
    if (rows.length === 0) break
    const postings = await read<{ transfer: string; account: string; amount: string }>(
      'select transfer, account, amount from money.posting where transfer = any($1::text[])',
      [rows.map(({ id }) => id)],
    )
    const postingsOf = new Map<string, typeof postings>(rows.map(({ id }) => [id, []]))
    for (const posting of postings) postingsOf.get(posting.transfer)!.push(posting)
    const kept: KeptEntry[] = []
    for (const row of rows) {
      try {
        kept.push({
          entry: entryFrom(row),
          id: row.id,
          kind: row.kind,
          agency: row.agency,
          payer: row.payer,
          happenedAt: Number(row.happened_at) as Instant,
          postings: postingsOf.get(row.id)!.map(postingOf),
        })
      } catch {
        audit.faults.push({ shard: row.shard, index: Number(row.index), why: 'it cannot be read' })
      }
    }
    audit.page(kept)
    entries += rows.length
    progress(entries, all)
    const last = rows[rows.length - 1]
    after = [last.shard, last.index]
  }
  const faults = audit.end(stated)
  const beside = await read<{ why: string }>(BESIDE)
  return { entries, faults: [...faults, ...beside.map(({ why }) => ({ shard: null, why }))].slice(0, FAULTS_MAX) }
}

/** Postings of no entry, entries behind the end of their chain, and months that are not those of the trips and statements that entries are about. */
const BESIDE = `
  select 'posting ' || p.transfer || '/' || p.account || ' is of no entry' as why from money.posting p
    where not exists (select 1 from money.transfer t where t.id = p.transfer)
  union all select 'entry ' || t.id || ' is in no chain' from money.transfer t left join money.chain c using (shard)
    where c.shard is null or t.index >= c.length
  union all select 'entry ' || t.id || ' is filed under ' || t.month || ' and is of ' || r.month from money.transfer t
    join metering.trip r on r.id = t.transfer->>'trip' where t.kind in ('trip', 'cap') and t.month <> r.month
  union all select 'entry ' || t.id || ' is filed under ' || t.month || ' and is of ' || s.month from money.transfer t
    join money.statement s on s.id = t.transfer->>'statement' where t.kind = 'statement' and t.month <> s.month
  limit ${FAULTS_MAX}`

const postingOf = ({ account, amount }: { account: string; amount: string }) => ({
  account: account as Transfer['postings'][number]['account'],
  amount: micros(BigInt(amount)),
})

/** One line of published heads: what `roadmeter ledger heads` writes and the api gives. InputError names what is no such line. */
export function readHeads(lines: string, name: string): ChainHead[] {
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line, i) => {
      try {
        const { heads } = JSON.parse(line) as { heads: ChainHead[] }
        for (const { shard, length, hash } of heads)
          if (!Number.isInteger(shard) || !Number.isInteger(length) || !/^[0-9a-f]{64}$/.test(hash)) throw new Error()
        return heads
      } catch {
        throw new InputError(
          'HEADS',
          `${name}: line ${i + 1} holds no published heads: {"at", "heads": [{"shard", "length", "hash"}]}`,
        )
      }
    })
}
