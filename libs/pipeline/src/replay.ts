import { BRIDGED_BOOT, decodeBatch, decodeBridged, sourceOf, type Batch } from '#contracts'
import { InputError, type Instant } from '#kernel'
import { commitArrivals, deviceKeys, markReplayed, quarantined, reopenNumber, type Outcome, type Store } from '#store'
import { arrivalOf } from './authentic'

/**
 * Puts a message of the quarantine through the inbox again, after what was in its way has been mended: its device is known now,
 * our clock was wrong, our reader was. Its time is not asked about again; its signature is. One transaction; asking again
 * changes nothing. Throws InputError where only the head of the message was kept.
 */
export const replayQuarantined = (store: Store, id: string, now: Instant): Promise<Outcome> =>
  store.transaction(async (tx) => {
    const row = await quarantined(tx, id)
    if (row.reason === 'TOO_LARGE')
      throw new InputError('CUT', `message ${id} was too large to be kept whole, so it can't be replayed`)
    const { device, payload } = row
    // What we made of a bridged position ourselves; what a device sent is read as it was, whatever boot it names.
    const position = row.boot === BRIDGED_BOOT ? (JSON.parse(new TextDecoder().decode(payload)) as Batch) : null
    const decoded = position ? decodeBridged(device, position, null) : decodeBatch(device, payload, null)
    const source = position ? sourceOf(device, position) : undefined
    const keys = (await deviceKeys(tx, [device], now)).get(device)!
    const arrival = { ...(await arrivalOf({ device, bytes: payload, decoded, source }, keys)), replayed: true }
    const [outcome] = await commitArrivals(tx, [arrival], now, 'replay')
    if (outcome.fate === 'rejected') return outcome
    await markReplayed(tx, id, now)
    // A position gets a new number, which nobody has passed yet.
    if (decoded.ok && !position && outcome.fate === 'accepted')
      await reopenNumber(tx, device, decoded.batch.boot, decoded.batch.seq)
    return outcome
  })
