import { BATCH_BYTES_MAX, type Receipt } from '#contracts'
import { type DeviceId } from '#kernel'

/** One publish of a device: the device is the one that signed in, or that the broker's access list let use the topic. */
export interface Message {
  readonly device: DeviceId
  readonly bytes: Uint8Array
}

/**
 * Resolves after the commit with the receipt to send, or null where there is none to give. Rejects when the message could
 * not be made durable: then nothing is acknowledged and the device sends again.
 */
export type BatchHandler = (message: Message) => Promise<Receipt | null>

/** True where the token is the device's. Rejects when that cannot be told just now. */
export type DeviceAuthenticator = (device: DeviceId, token: string) => Promise<boolean>

/** Where batches come in. */
export interface BatchDoor {
  /** Where devices connect to, without credentials. */
  readonly url: string
  /** Resolves where batches can come in just now; rejects where they can't. */
  answers(): Promise<void>
  /** Admits nothing more, lets commits in hand end and be acknowledged, then hangs up. */
  close(): Promise<void>
}

/**
 * Largest MQTT packet that is read. A batch over BATCH_BYTES_MAX must still arrive, so that it is rejected by name and the
 * device moves on; four times that is no batch and ends the connection.
 */
export const PACKET_BYTES_MAX = 4 * BATCH_BYTES_MAX + 1024

/** How long a door waits for its commits in hand when it closes. */
export const CLOSE_WAIT_MS_MAX = 10_000

export const receiptBytes = (receipt: Receipt): Buffer => Buffer.from(JSON.stringify(receipt))
