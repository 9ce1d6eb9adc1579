import { sealPlainEvidence } from './disputes'
import { PLAIN_ROWS, sealPlainKept } from './location'
import { sealPlainPhotos } from './mileage'
import { sealPlainRefused } from './quarantine'
import { type Store } from './store'
import { sealPlainBatches } from './stored-batch'

const PAGE = 500

/** How many rows with locations are kept in plain. */
export const plainRows = async (store: Store): Promise<number> =>
  Number((await store.read<{ n: string }>(`select ${PLAIN_ROWS} as n`))[0].n)

/**
 * Seals what a database kept before locations were sealed, page by page: stopped anywhere, it goes on from there. What stood in
 * plain is then taken out of the files, too. Returns how many rows there were; `progress` is told how many are done.
 */
export async function sealOlder(
  store: Store,
  progress: (done: number, all: number) => void = () => undefined,
): Promise<number> {
  const all = await plainRows(store)
  if (all === 0) return 0
  let done = 0
  for (const page of [sealPlainBatches, sealPlainRefused, sealPlainKept, sealPlainEvidence, sealPlainPhotos])
    for (let some = 1; some > 0; progress((done += some), all)) some = await store.transaction((tx) => page(tx, PAGE))
  // Outside of a transaction, and rewritten whole: a row that is only marked as dead is still there to read.
  const kept = ['batch', 'quarantine', 'path', 'report', 'fates', 'evidence'].map((table) => `location.${table}`)
  for (const table of [...kept, 'metering.odometer_photo']) await store.dataSource.query(`vacuum full ${table}`)
  return done
}
