import { type Correction } from '#contracts'
import { InputError } from '#kernel'
import { type DisputeRow, type Tx } from '#store'
import { type Line } from './line'

/** Prices what was questioned again by the facts of a correction. */
export async function correct(_tx: Tx, { trip }: DisputeRow, { kind }: Correction, _line: Line): Promise<void> {
  throw new InputError('NOT_YET', `journey ${trip} can't be corrected as ${kind} yet`)
}
