import { statementSchema, type ChargeReport } from '#contracts'
import { canonical, digest, type AgencyId, type Digest } from '#kernel'
import { emptyChain, headOf, merkleRoot, verifyChain } from '#ledger'
import { statementDigest, verifyStatement } from '#statement'
import { chainHeads, chainPage, leavesOf, chargesOf, keptTexts, tripsWhere, type Store, type Tx } from '#store'
import { type Finding } from './finding'
import { forgetting } from './forgetting'
import { type Line } from './line'
import { rematch } from './match'
import { meterTrip } from './meter'
import { rateTrip } from './rate'

const FAULTS_MAX = 10
const PAGE = 500

/** Of trips and of statements, those to make again: at most so many, in the order of their ids, which are digests, from one on. */
export interface Sample {
  readonly from: string
  readonly most: number
}

/**
 * Checks the invariants of docs/architecture.md against everything that is stored, and changes nothing. `progress` is told
 * how many of the trips were recomputed. With a `sample` the rest of the trips and statements is not made again.
 */
export async function reconcile(
  store: Store,
  line: Line,
  progress: (done: number, all: number) => void = () => undefined,
  sample: Sample = { from: '', most: Infinity },
): Promise<Finding[]> {
  const [lost, fates, sums] = [await noLoss(store), await oneFate(store), await zeroSum(store)]
  const again = await recomputed(store, line, progress, sample)
  return [
    lost,
    {
      ...fates,
      checked: fates.checked + again.trips,
      destroyed: again.destroyed,
      faults: [...fates.faults, ...again.fates],
    },
    again.distance,
    sums,
    await statements(store, sample),
    again.determinism,
    await chains(store),
    await noOrphans(store),
    await forgetting(store, line),
  ]
}

const count = async (store: Store, sql: string): Promise<number> => Number((await store.read<{ n: string }>(sql))[0].n)
const sentences = async (store: Store, sql: string): Promise<string[]> =>
  (await store.read<{ fault: string }>(`${sql} limit ${FAULTS_MAX}`)).map((row) => row.fault)

const noLoss = async (store: Store): Promise<Finding> => ({
  id: 'I1',
  holds: 'no loss: whatever a receipt covers is in the inbox or, rejected, in quarantine',
  checked: await count(store, 'select coalesce(sum(upper(r) - lower(r)), 0) as n from metering.stream, unnest(held) r'),
  faults: await sentences(
    store,
    `select 'device ' || s.device || ' boot ' || s.boot || ' has no batch ' || q as fault from metering.stream s, unnest(s.held) r, generate_series(lower(r), upper(r) - 1) q
     where not exists (select 1 from location.batch b where b.device = s.device and b.boot = s.boot and b.seq = q)
       and not exists (select 1 from location.quarantine x where x.device = s.device and x.boot = s.boot and x.seq = q)
       and not s.destroyed @> q and not s.discarded @> q`,
  ),
})

const oneFate = async (store: Store): Promise<Finding> => ({
  id: 'I2',
  holds: 'one fate: each accepted fix is charged, free or filtered; received = accepted + duplicate + rejected',
  checked: await count(store, 'select coalesce(sum(received), 0) as n from metering.stream'),
  faults: await sentences(
    store,
    `select 'device ' || device || ' boot ' || boot || ': ' || received || ' received, ' || accepted || ' accepted' as fault
       from metering.stream s where received <> accepted + duplicate + rejected
         or accepted <> (select count(*) from location.batch b where b.device = s.device and b.boot = s.boot)
           + (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(s.destroyed) r)
     union all
     select 'on ' || day || ' ' || sum(received) || ' were received, ' || sum(accepted) || ' accepted, ' || sum(duplicate) || ' duplicate, ' || sum(rejected) || ' rejected'
       from metering.balance group by day having sum(received) <> sum(accepted) + sum(duplicate) + sum(rejected)
     union all
     select 'the days say that ' || d.accepted || ' batches were accepted, the streams ' || s.accepted
       from (select coalesce(sum(accepted), 0) as accepted from metering.balance) d, (select coalesce(sum(accepted), 0) as accepted from metering.stream) s where d.accepted <> s.accepted
     union all
     select 'batch ' || b.device || '/' || b.boot || '/' || b.seq || ' is in no trip' from location.batch b join metering.stream s using (device, boot)
     where b.seq < s.processed and not s.gaps @> b.seq and b.event <> 'totals'
       and not exists (select 1 from metering.trip t where t.device = b.device and t.boot = b.boot and b.seq between t.first_seq and t.last_seq and t.name = b.trip)`,
  ),
})

const zeroSum = async (store: Store): Promise<Finding> => ({
  id: 'I4',
  holds: 'money: every transfer sums to zero, and so do all accounts together',
  checked: await count(store, 'select count(*) as n from money.transfer'),
  faults: await sentences(
    store,
    `select 'transfer ' || transfer || ' sums to ' || sum(amount) as fault from money.posting group by transfer having sum(amount) <> 0
     union all select 'all accounts sum to ' || sum(amount) from money.posting having sum(amount) <> 0
     union all select 'trip ' || t.id || ' costs ' || c.amount || ' micros but ' || coalesce(p.amount, 0) || ' were posted' from metering.trip t
       join lateral (select coalesce(sum(amount), 0) as amount from money.charge where trip = t.id) c on true
       left join (select x.transfer->>'trip' as trip, sum(p.amount) as amount from money.transfer x join money.posting p on p.transfer = x.id and p.account = 'accrued:' || x.payer
         where x.kind = 'trip' and x.transfer->>'revision' = '0' group by 1) p on p.trip = t.id
       where t.state = 'posted' and c.amount <> coalesce(p.amount, 0)`,
  ),
})

/** Makes every trip again from its batches: the same match, the same report, the same charges, to the byte. */
async function recomputed(
  store: Store,
  line: Line,
  progress: (done: number, all: number) => void,
  { from, most }: Sample,
) {
  const stored = await count(store, `select count(*) as n from metering.trip where state = 'posted' and fixes > 0`)
  const all = Math.min(stored, most)
  const fates: string[] = []
  const distance: string[] = []
  const determinism: string[] = []
  let [done, destroyed, unmatchable] = [0, 0, 0]
  for (let after = from; done < all;) {
    const page = await store.transaction(async (tx) => {
      const trips = await tripsWhere(
        tx,
        `state = 'posted' and fixes > 0 and id > $1 order by id limit ${Math.min(PAGE, all - done)}`,
        [after],
      )
      const charges = await chargesOf(
        tx,
        trips.map((trip) => trip.id),
      )
      const reports = await keptTexts(
        tx,
        'report',
        trips.map(({ id }) => id),
      )
      const gone = await destroyedOf(
        tx,
        trips.map(({ id }) => id),
      )
      for (const trip of trips) {
        const kept = reports.get(trip.id)
        if (gone.get(trip.id)!.stretches) {
          destroyed++
          continue
        }
        const { network, matcher } = await line.reference.network(tx, trip.agency, trip.network!)
        // Without its fixes a trip can't be matched again, only priced.
        const report = gone.get(trip.id)!.fixes
          ? (JSON.parse(kept ?? 'null') as ChargeReport | null)
          : await meterTrip(tx, trip, (await rematch(tx, trip, matcher)).stored, line)
        if (gone.get(trip.id)!.fixes) unmatchable++
        const posted = charges.get(trip.id)!
        if (!report || network.digest !== report.network || digest(report) !== trip.reportDigest)
          determinism.push(`trip ${trip.id} is metered differently now`)
        else if (canonical(await rateTrip(tx, trip, report, line)) !== canonical(posted))
          determinism.push(`trip ${trip.id} is rated differently now`)
        if (!report) continue
        const mm = posted.reduce((sum, charge) => sum + charge.distanceMm, 0)
        if (mm !== report.matchedMm)
          distance.push(`trip ${trip.id}: lines say ${mm} mm, ${report.matchedMm} mm were matched`)
        const { accepted, matched, unmatched } = report.fixes
        const filtered = Object.values(unmatched).reduce((sum, n) => sum + n, 0)
        if (accepted !== trip.fixes || accepted !== matched + filtered)
          fates.push(`trip ${trip.id}: ${trip.fixes} fixes, ${matched} matched, ${filtered} not`)
        const stored = kept === undefined ? null : (JSON.parse(kept) as ChargeReport).fixes
        if (stored?.accepted !== trip.fixes)
          fates.push(`trip ${trip.id}: ${trip.fixes} fixes accepted, ${stored?.accepted ?? 0} accounted for`)
        const pricedFixes = posted.reduce((sum, charge) => sum + charge.fixes, 0)
        if (posted.length > 0 && stored && pricedFixes !== stored.matched)
          fates.push(`trip ${trip.id} is priced for ${pricedFixes} fixes of ${stored.matched}`)
      }
      return trips
    })
    if (page.length === 0) break
    after = page.at(-1)!.id
    progress((done += page.length), all)
  }
  const cut = (faults: string[]) => faults.slice(0, FAULTS_MAX)
  return {
    trips: done - destroyed,
    destroyed,
    fates: cut(fates),
    distance: {
      id: 'I3',
      holds: 'distance: charged + free millimetres of a trip = matched millimetres',
      checked: done - destroyed,
      destroyed,
      faults: cut(distance),
    },
    determinism: {
      id: 'I6',
      holds: 'determinism: matching, metering and rating a trip again gives the same bytes',
      checked: done - destroyed - unmatchable,
      destroyed: destroyed + unmatchable,
      faults: cut(determinism),
    },
  }
}

/** Of trips: whether their fixes and their stretches were destroyed. */
const destroyedOf = async (
  tx: Tx,
  trips: readonly string[],
): Promise<Map<string, { fixes: boolean; stretches: boolean }>> =>
  new Map(
    (
      await tx.rows<{ id: string; fixes: boolean; stretches: boolean }>(
        `select id, raw_destroyed_at is not null as fixes, stretches_destroyed_at is not null as stretches from metering.trip where id = any($1::text[])`,
        [trips],
      )
    ).map((row) => [row.id, row]),
  )

/** I5 and I7: statements add up, are what was sealed, and with what is not billed yet are all that the ledger says. */
async function statements(store: Store, { from, most }: Sample): Promise<Finding> {
  const faults: string[] = []
  let checked = 0
  for (const { id: agency } of await store.read<{ id: AgencyId }>('select id from metering.agency order by id')) {
    const policies = (
      await store.read<{ document: Parameters<typeof verifyStatement>[1][number] }>(
        'select document from tariff.policy where agency = $1',
        [agency],
      )
    ).map((row) => row.document)
    for (let after = from; checked < most;) {
      const rows = await store.read<{ id: string; document: string; digest: Digest }>(
        'select id, document, digest from money.statement where agency = $1 and id > $2 order by id limit 200',
        [agency, after],
      )
      if (rows.length === 0) break
      for (const row of rows) {
        const statement = statementSchema.parse(JSON.parse(row.document))
        if (statementDigest(statement) !== row.digest) faults.push(`statement ${row.id} is not what was drafted`)
        faults.push(
          ...verifyStatement(statement, policies).map(
            (fault) => `statement ${row.id}: ${fault.path}: expected ${fault.expected}, found ${fault.found}`,
          ),
        )
        checked++
      }
      after = rows.at(-1)!.id
    }
  }
  for (const { agency, month, root } of await store.read<{ agency: AgencyId; month: string; root: Digest | null }>(
    `select agency, month, root from money.period where state = 'sealed'`,
  ))
    if (root !== merkleRoot(await store.transaction((tx) => leavesOf(tx, agency, month))))
      faults.push(`the root of ${agency} ${month} is not that of its statements`)
  const balances = [
    ...(await sentences(store, UNBALANCED)),
    ...(await sentences(store, UNTOLD)),
    ...(await sentences(store, UNFOLDED)),
  ]
  return {
    id: 'I5',
    holds: 'reconciliation: statements recompute, and statements + unbilled + rounding = ledger',
    checked,
    faults: [...faults, ...balances].slice(0, FAULTS_MAX),
  }
}

/** What accounts are said to hold, against the postings that were folded into it. */
const UNFOLDED = `
  with folded as (select p.account, sum(p.amount) as amount from money.balance_head h join money.transfer t on t.shard = h.shard and t.index < h.length
      join money.posting p on p.transfer = t.id group by p.account)
  select 'account ' || coalesce(b.account, f.account) || ' is said to hold ' || coalesce(b.amount, 0) || ' micros, its postings come to ' || coalesce(f.amount, 0) as fault
  from money.balance b full join folded f using (account) where coalesce(b.amount, 0) <> coalesce(f.amount, 0)`

/** A trip between two stages has work that is wanted for it, parked or not: nothing waits for a wish that nobody has. */
const noOrphans = async (store: Store): Promise<Finding> => ({
  id: 'I11',
  holds: 'no orphan work: what stands between two stages is wanted by the next',
  checked: await count(store, `select count(*) as n from metering.trip where state in ('matched', 'metered', 'rated')`),
  faults: await sentences(
    store,
    `select 'trip ' || t.id || ' is ' || t.state || ' and nobody wants to ' || s.stage || ' it' as fault
     from metering.trip t join (values ('matched', 'meter'), ('metered', 'rate'), ('rated', 'post')) as s(state, stage) using (state)
     where not exists (select 1 from metering.work w where w.stage = s.stage and w.key = t.id and w.wanted > w.done)`,
  ),
})

/** Money of which a provider told, against the ledger's; and credit that was spent twice. */
const UNTOLD = `
  with told as (select p.account, sum(e.amount) as amount from money.payment p join money.payment_event e on e.payment = p.id and e.kind = 'succeeded' group by p.account),
    booked as (select x.payer, sum(p.amount) as amount from money.transfer x join money.posting p on p.transfer = x.id and p.account in ('cash:' || x.agency, 'endowed:' || x.agency) group by x.payer)
  select 'account ' || coalesce(t.account, b.payer) || ': ' || coalesce(t.amount, 0) || ' micros were paid and ' || coalesce(b.amount, 0) || ' are booked' as fault
    from told t full join booked b on b.payer = t.account where coalesce(t.amount, 0) <> coalesce(b.amount, 0)
  union all
  select account || ' is below nothing by ' || sum(amount) || ' micros' from money.posting where account like 'wallet:%' group by account having sum(amount) > 0`

/** Per payer: what the ledger holds as accrued, against charges and cap credits less what sealed statements took over. */
const UNBALANCED = `
  with ledger as (select x.payer, sum(p.amount) filter (where p.account = 'accrued:' || x.payer) as accrued, sum(p.amount) filter (where p.account = 'billed:' || x.payer) as billed
      from money.transfer x join money.posting p on p.transfer = x.id group by x.payer),
    charged as (select account, sum(amount) as amount from (
      select t.account, c.amount from metering.trip t join money.charge c on c.trip = t.id where t.state = 'posted'
      union all select account, amount from money.correction
      union all select m.account, (line->>'amount')::bigint from money.mileage m, jsonb_array_elements(m.document->'lines') line) all_charges group by account),
    credited as (select v.account, sum(w.credit) as amount from money.cap_window w join metering.vehicle v on v.id = w.vehicle group by v.account),
    sealed as (select account, sum(exact) as exact, sum(due) as due from money.statement where state = 'sealed' group by account),
    paid as (select x.payer, -sum(p.amount) as amount from money.transfer x join money.posting p on p.transfer = x.id and p.account = 'billed:' || x.payer where x.kind in ('payment', 'settlement', 'hold') group by x.payer)
  select 'account ' || a.id || ': the ledger has ' || coalesce(l.accrued, 0) || ' micros unbilled and ' || coalesce(l.billed, 0) || ' billed; trips and statements say '
      || (coalesce(c.amount, 0) + coalesce(k.amount, 0) - coalesce(s.exact, 0)) || ' and ' || (coalesce(s.due, 0) - coalesce(p.amount, 0)) as fault
  from metering.account a left join ledger l on l.payer = a.id left join charged c on c.account = a.id left join credited k on k.account = a.id
    left join sealed s on s.account = a.id left join paid p on p.payer = a.id
  where coalesce(l.accrued, 0) <> coalesce(c.amount, 0) + coalesce(k.amount, 0) - coalesce(s.exact, 0) or coalesce(l.billed, 0) <> coalesce(s.due, 0) - coalesce(p.amount, 0)`

async function chains(store: Store): Promise<Finding> {
  const heads = await store.transaction((tx: Tx) => chainHeads(tx))
  const faults: string[] = []
  let checked = 0
  for (const published of heads) {
    let head = emptyChain(published.shard)
    for (;;) {
      const page = await store.transaction((tx: Tx) => chainPage(tx, head))
      const fault = verifyChain(page, head, page.length ? [] : [published])
      if (fault) faults.push(`chain ${fault.shard}, entry ${fault.index}: ${fault.why}`)
      if (fault || page.length === 0) break
      head = headOf(page.at(-1)!)
      checked += page.length
    }
  }
  return { id: 'I8', holds: 'chain: every ledger entry hashes the one before', checked, faults }
}
