import { type AgencyId } from '#kernel'
import { claim, complete, countingOf, want, type Store } from '#store'
import { type Line } from './line'
import { requireClosed } from './exports'
import { tally, tallyWork } from './tally'

const POLL_MS = 250

/**
 * Counts a closed month here, beside an engine that may be at it too, until its tables are out. `progress` is told how many trips are
 * counted. InputError MONTH_OPEN where it isn't closed.
 */
export async function countMonth(
  store: Store,
  line: Line,
  agency: AgencyId,
  month: string,
  leaseMs: number,
  progress: (done: number, all: number) => void,
): Promise<void> {
  const work = tallyWork(agency, month)
  await store.transaction(async (tx) => {
    await requireClosed(tx, agency, month)
    if (!(await countingOf(tx, agency, month))?.finishedAt) await want(tx, [work])
  })
  for (;;) {
    const counting = await store.transaction((tx) => countingOf(tx, agency, month))
    if (counting) progress(counting.done, counting.trips)
    if (counting?.finishedAt) return
    const claims = await claim(store, work, leaseMs, 1)
    if (claims.length === 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    else
      await store.transaction(async (tx) => {
        await want(tx, await tally(tx, work.key, line))
        await complete(tx, claims)
      })
  }
}
