import { backtest } from './backtest'
import { close, draft } from './close'
import { destroy } from './destroy'
import { exportFile } from './exports'
import { oneByOne, type Stage } from './line'
import { match } from './match'
import { meter } from './meter'
import { post } from './post'
import { rate } from './rate'
import { settle } from './settle'
import { shadow } from './shadow'
import { traffic } from './traffic'
import { tally } from './tally'

/**
 * The line after the inbox. `match` takes a device: its batches become trips and those are matched to roads. `meter`, `rate`
 * and `post` take trips: their charge report, their charges, their transfers in the ledger (there, many at once). `close` takes a
 * period (`agency/2026-10`) and moves it one step towards its sealed statements, `draft` one part of it (`agency/2026-10/3`); `settle` an
 * account: payments, credit, disputes; `destroy` too: locations whose time is over. `traffic` counts the charged miles of a sealed month by
 * segment, `tally` a closed month into tables for analysts, and `export` writes one of those as a file.
 */
export const STAGES = {
  match: oneByOne(match),
  meter: oneByOne(meter),
  rate: oneByOne(rate),
  post: { most: 400, work: post },
  close: oneByOne(close),
  draft: oneByOne(draft),
  backtest: oneByOne(backtest),
  settle: oneByOne(settle),
  shadow: oneByOne(shadow),
  traffic: oneByOne(traffic),
  destroy: oneByOne(destroy),
  tally: oneByOne(tally),
  export: oneByOne(exportFile),
} satisfies Record<string, Stage>
export type StageName = keyof typeof STAGES
