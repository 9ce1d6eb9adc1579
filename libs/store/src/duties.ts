import { type Instant } from '#kernel'
import { type Store, type Tx } from './store'

/**
 * Takes a duty that is due: it was done last before `before` and nobody has it in hand. Whoever takes it has it for `leaseMs`; what a
 * crash leaves is taken again after that.
 */
export const takeDuty = async (store: Store, name: string, before: Instant, leaseMs: number): Promise<boolean> =>
  store.transaction(
    async (tx) =>
      (await tx.run(
        `insert into metering.duty as d (name, done_at, lease_until) values ($1, 0, clock_timestamp() + $3 * interval '1 millisecond')
         on conflict (name) do update set lease_until = excluded.lease_until where d.done_at <= $2 and d.lease_until < clock_timestamp()`,
        [name, before, leaseMs],
      )) === 1,
  )

export const dutyDone = (tx: Tx, name: string, at: Instant): Promise<number> =>
  tx.run(`update metering.duty set done_at = $2, lease_until = '-infinity' where name = $1`, [name, at])

/** When a duty was done last; null where it never was. */
export const dutyDoneAt = async (tx: Tx, name: string): Promise<Instant | null> => {
  const row = await tx.row<{ done_at: string }>(`select done_at from metering.duty where name = $1 and done_at > 0`, [name]) // prettier-ignore
  return row && (Number(row.done_at) as Instant)
}

/** What a check of the invariants found, each by its name. */
export const saveFindings = (
  tx: Tx,
  findings: readonly { readonly id: string; readonly checked: number; readonly faults: readonly string[] }[],
  at: Instant,
): Promise<number> =>
  tx.run(
    `insert into money.finding (invariant, found_at, checked, faults)
     select invariant, $1, checked, faults::jsonb from unnest($2::text[], $3::int8[], $4::text[]) as f(invariant, checked, faults) on conflict do nothing`,
    [
      at,
      findings.map(({ id }) => id),
      findings.map(({ checked }) => checked),
      findings.map(({ faults }) => JSON.stringify(faults)),
    ],
  )

/** How many faults the latest check found of each invariant, and when. */
export const latestFindings = async (tx: Tx): Promise<{ invariant: string; at: Instant; faults: number }[]> =>
  (
    await tx.rows<{ invariant: string; found_at: string; faults: number }>(
      `select distinct on (invariant) invariant, found_at, jsonb_array_length(faults) as faults from money.finding order by invariant, found_at desc`,
    )
  ).map(({ invariant, found_at, faults }) => ({ invariant, at: Number(found_at) as Instant, faults }))

/** Disputes that nobody has decided by the day by which they were to be. */
export const overdueDisputes = async (tx: Tx, today: string): Promise<number> =>
  Number(
    (await tx.row<{ n: string }>(
      `select count(*) as n from money.dispute d where decide_by < $1
         and not exists (select 1 from money.dispute_step s where s.dispute = d.id and s.kind in ('upheld', 'refused', 'withdrawn'))`,
      [today],
    ))!.n,
  )
