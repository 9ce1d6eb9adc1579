import { decodeBatch } from '#contracts'
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
    const decoded = decodeBatch(device, payload, null)
    const keys = (await deviceKeys(tx, [device], now)).get(device)!
    const arrival = { ...(await arrivalOf({ device, bytes: payload, decoded }, keys)), replayed: true }
    const [outcome] = await commitArrivals(tx, [arrival], now, 'replay')
    if (outcome.fate === 'rejected') return outcome
    await markReplayed(tx, id, now)
    if (decoded.ok && outcome.fate === 'accepted') await reopenNumber(tx, device, decoded.batch.boot, decoded.batch.seq)
    return outcome
  })
