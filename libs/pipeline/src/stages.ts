import { close } from './close'
import { type Stage } from './line'
import { match } from './match'
import { meter } from './meter'
import { post } from './post'
import { rate } from './rate'

/**
 * The line after the inbox. `match` takes a device: its batches become trips and those are matched to roads. `meter`, `rate`
 * and `post` take a trip: its charge report, its charges, their transfers in the ledger. `close` takes a period
 * (`agency/2026-10`) and moves it one step towards its sealed statements.
 */
export const STAGES = { match, meter, rate, post, close } satisfies Record<string, Stage>
export type StageName = keyof typeof STAGES
