import {
  canonical,
  chance,
  instant,
  micros,
  type AccountId,
  type AgencyId,
  type Digest,
  type StatementId,
  type TripId,
} from '#kernel'
import { chainEntry, GENESIS, statementTransfer, tripTransfer, type Transfer } from '#ledger'
import { auditLedger } from '#pipeline'
import { chainHeads, record, saveAccount, saveAgency, type Store, type Tx } from '#store'

const AGENCY = 'tampered-city' as AgencyId
const ACCOUNTS = Array.from({ length: 8 }, (_, i) => `tampered-${i}` as AccountId)
const NOW = instant(Date.parse('2026-10-05T12:00:00Z'))

interface Row {
  id: string
  shard: number
  index: string
  transfer: Transfer
  salt: string
  recorded_at: string
}
type Dice = ReturnType<typeof chance>

/** Edits of a superuser who knows the whole program, triggers out of the way. */
export function tamperSuite(opened: () => Store, edits: number): void {
  let store: Store
  beforeAll(async () => {
    store = opened()
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Tampered City' })
      for (const id of ACCOUNTS) await saveAccount(tx, { id, agency: AGENCY, name: id })
      const occasion = (payer: AccountId) => ({ agency: AGENCY, currency: 'EUR', payer, happenedAt: NOW })
      const entries = ACCOUNTS.flatMap((payer) =>
        Array.from({ length: 9 }, (_, i) => ({
          month: '2026-10',
          transfer:
            i === 8
              ? statementTransfer(
                  occasion(payer),
                  { statement: `s-${payer}` as StatementId },
                  micros(123_456n),
                  10_000n,
                )
              : tripTransfer(occasion(payer), { trip: `t-${payer}-${i}` as TripId }, [
                  { jurisdiction: 'city', amount: micros(1_000_000n + BigInt(i)) },
                  { jurisdiction: 'county', amount: micros(70_000n) },
                ]),
        })),
      )
      await record(tx, entries, NOW)
    })
  })

  it(`finds all of ${edits} edits of every kind`, async () => {
    const heads = await store.transaction((tx) => chainHeads(tx))
    const audit = (tx: Tx) => auditLedger((sql, parameters) => tx.rows(sql, parameters), heads)
    expect((await store.transaction(audit)).faults).toEqual([])
    const dice = chance('tamper')
    const missed: string[] = []
    const kinds = Object.entries(EDITS)
    for (let i = 0; i < edits; i++) {
      const [name, edit] = kinds[i % kinds.length]
      const undone = store.transaction(async (tx) => {
        await tx.run('set local session_replication_role = replica')
        await edit(tx, dice)
        const { faults } = await audit(tx)
        if (faults.length === 0) missed.push(`${i}: ${name}`)
        throw new Undone()
      })
      await undone.catch((error: unknown) => {
        if (!(error instanceof Undone)) throw error
      })
    }
    expect(missed).toEqual([])
    expect((await store.transaction(audit)).faults).toEqual([])
  }, 3_600_000)
}
class Undone extends Error {}

const rowsOf = (tx: Tx): Promise<Row[]> =>
  tx.rows<Row>('select id, shard, index, transfer, salt, recorded_at from money.transfer order by shard, index')
const anyOf = <T>(items: readonly T[], dice: Dice): T => items[dice.below(items.length)]
const anyRow = async (tx: Tx, dice: Dice): Promise<Row> => anyOf(await rowsOf(tx), dice)

/** Writes a chain again from a place on, as if its entries had always said this: hashes, postings, the stated head. */
async function rebuild(tx: Tx, shard: number, chain: readonly Row[], from: number): Promise<void> {
  const before =
    from === 0
      ? null
      : await tx.row<{ hash: Digest }>('select hash from money.transfer where id = $1', [chain[from - 1].id])
  let head = { shard, length: from, hash: before?.hash ?? GENESIS }
  for (const { id } of chain.slice(from))
    await tx.run('update money.transfer set index = index + 1000 where id = $1', [id])
  for (const { id, transfer, salt, recorded_at } of chain.slice(from)) {
    const whole = { ...transfer, postings: transfer.postings.map((p) => ({ ...p, amount: micros(BigInt(p.amount)) })) }
    const entry = chainEntry(head, whole, salt, instant(Number(recorded_at)))
    head = { shard, length: entry.index + 1, hash: entry.hash }
    await tx.run(
      `update money.transfer set index = $2, previous = $3, content = $4, hash = $5, transfer = $6::jsonb, payer = $7 where id = $1`,
      [id, entry.index, entry.previous, entry.content, entry.hash, canonical(whole), whole.payer],
    )
    await tx.run('delete from money.posting where transfer = $1', [id])
    for (const { account, amount } of whole.postings)
      await tx.run('insert into money.posting (transfer, account, amount) values ($1, $2, $3)', [id, account, amount])
  }
  await tx.run('update money.chain set length = $2, hash = $3 where shard = $1', [shard, head.length, head.hash])
}

/** A shard of at least `least` entries. */
async function anyChain(tx: Tx, dice: Dice, least = 1): Promise<{ shard: number; chain: Row[] }> {
  const rows = await rowsOf(tx)
  const shards = [...new Set(rows.map(({ shard }) => shard))].filter(
    (shard) => rows.filter((row) => row.shard === shard).length >= least,
  )
  const shard = anyOf(shards, dice)
  return { shard, chain: rows.filter((row) => row.shard === shard) }
}

const scaled = ({ transfer, ...row }: Row, dice: Dice): Row => {
  const [one, other, ...rest] = transfer.postings
  const by = BigInt(1 + dice.below(1_000_000))
  const postings = [
    { ...one, amount: micros(BigInt(one.amount) + by) },
    { ...other, amount: micros(BigInt(other.amount) - by) },
    ...rest,
  ]
  return { ...row, transfer: { ...transfer, postings } }
}

const EDITS: Record<string, (tx: Tx, dice: Dice) => Promise<unknown>> = {
  'an amount in a posting': async (tx, dice) =>
    tx.run('update money.posting set amount = amount + $2 where transfer = $1', [
      (await anyRow(tx, dice)).id,
      1 + dice.below(1_000_000),
    ]),
  'two postings that still sum to zero': async (tx, dice) => {
    const { id, transfer } = await anyRow(tx, dice)
    const by = 1 + dice.below(1_000_000)
    const [one, other] = transfer.postings
    await tx.run('update money.posting set amount = amount + $3 where transfer = $1 and account = $2', [
      id,
      one.account,
      by,
    ])
    await tx.run('update money.posting set amount = amount - $3 where transfer = $1 and account = $2', [
      id,
      other.account,
      by,
    ])
  },
  'a posting that goes to another account': async (tx, dice) => {
    const { id, transfer } = await anyRow(tx, dice)
    await tx.run(`update money.posting set account = account || '-mine' where transfer = $1 and account = $2`, [
      id,
      anyOf(transfer.postings, dice).account,
    ])
  },
  'a posting taken away': async (tx, dice) => {
    const { id, transfer } = await anyRow(tx, dice)
    await tx.run('delete from money.posting where transfer = $1 and account = $2', [
      id,
      anyOf(transfer.postings, dice).account,
    ])
  },
  'postings of an entry that is not there': (tx, dice) =>
    tx.run(`insert into money.posting (transfer, account, amount) values ($1, 'cash:x', 5), ($1, 'billed:x', -5)`, [
      `none-${dice.below(1_000_000)}`,
    ]),
  'content, and its postings with it': async (tx, dice) => {
    const { id, transfer } = scaled(await anyRow(tx, dice), dice)
    await tx.run('update money.transfer set transfer = $2::jsonb where id = $1', [id, canonical(transfer)])
    for (const { account, amount } of transfer.postings)
      await tx.run('update money.posting set amount = $3 where transfer = $1 and account = $2', [id, account, amount])
  },
  'content that nobody can read': async (tx, dice) =>
    tx.run(`update money.transfer set transfer = $2::jsonb where id = $1`, [
      (await anyRow(tx, dice)).id,
      anyOf(['{}', 'null', '[]', '"x"', '{"postings": [{"account": 1, "amount": "x"}]}'], dice),
    ]),
  'a column beside the content': async (tx, dice) => {
    const column = anyOf(['kind', 'salt', 'previous', 'content', 'hash', 'happened_at', 'recorded_at', 'index'], dice)
    const other = {
      kind: `'reversal'`,
      happened_at: 'happened_at + 1',
      recorded_at: 'recorded_at + 1',
      index: 'index + 500',
    }
    await tx.run(
      `update money.transfer set ${column} = ${other[column as 'kind'] ?? `translate(${column}, '0123456789abcdef', '123456789abcdef0')`} where id = $1`,
      [(await anyRow(tx, dice)).id],
    )
  },
  'an entry taken away, and its postings': async (tx, dice) => {
    const { id } = await anyRow(tx, dice)
    await tx.run('delete from money.posting where transfer = $1', [id])
    await tx.run('delete from money.transfer where id = $1', [id])
  },
  'two entries in each other’s place': async (tx, dice) => {
    const { chain } = await anyChain(tx, dice, 2)
    const at = dice.below(chain.length - 1)
    const [one, other] = [chain[at], chain[at + 1 + dice.below(chain.length - at - 1)]]
    await tx.run('update money.transfer set index = -1 where id = $1', [one.id])
    await tx.run('update money.transfer set index = $2 where id = $1', [other.id, one.index])
    await tx.run('update money.transfer set index = $2 where id = $1', [one.id, other.index])
  },
  'another owner': async (tx, dice) => {
    const { id, transfer } = await anyRow(tx, dice)
    const other = anyOf(
      ACCOUNTS.filter((account) => account !== transfer.payer),
      dice,
    )
    await tx.run('update money.transfer set payer = $2 where id = $1', [id, other])
    if (dice.next() < 0.5) return
    const swapped = canonical(transfer).replaceAll(transfer.payer, other)
    await tx.run('update money.transfer set transfer = $2::jsonb where id = $1', [id, swapped])
    await tx.run('update money.posting set account = replace(account, $2, $3) where transfer = $1', [
      id,
      transfer.payer,
      other,
    ])
  },
  'the tail cut off, and the head set to fit': async (tx, dice) => {
    const { shard, chain } = await anyChain(tx, dice)
    const from = dice.below(chain.length)
    for (const { id } of chain.slice(from)) {
      await tx.run('delete from money.posting where transfer = $1', [id])
      await tx.run('delete from money.transfer where id = $1', [id])
    }
    await rebuild(tx, shard, chain.slice(0, from), Math.max(0, from - 1))
  },
  'a chain rebuilt from the middle on': async (tx, dice) => {
    const { shard, chain } = await anyChain(tx, dice)
    const from = dice.below(chain.length)
    await rebuild(
      tx,
      shard,
      chain.map((row, i) => (i === from ? scaled(row, dice) : row)),
      from,
    )
  },
  'a chain rebuilt in another order': async (tx, dice) => {
    const { shard, chain } = await anyChain(tx, dice, 2)
    const from = dice.below(chain.length - 1)
    const turned = [...chain]
    ;[turned[from], turned[from + 1]] = [turned[from + 1], turned[from]]
    await rebuild(tx, shard, turned, from)
  },
  'a chain rebuilt without one of its entries': async (tx, dice) => {
    const { shard, chain } = await anyChain(tx, dice, 2)
    const from = dice.below(chain.length)
    await tx.run('delete from money.posting where transfer = $1', [chain[from].id])
    await tx.run('delete from money.transfer where id = $1', [chain[from].id])
    await rebuild(
      tx,
      shard,
      chain.filter((_, i) => i !== from),
      Math.min(from, chain.length - 2),
    )
  },
  'the stated head': (tx, dice) =>
    tx.run(`update money.chain set length = length + $1 where shard = (select min(shard) from money.chain)`, [
      anyOf([-1, 1, 7], dice),
    ]),
}
