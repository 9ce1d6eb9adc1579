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

/**
 * What else comes in: what a device (or its will) says of its state, a position from the OwnTracks app, and what a Traccar
 * server forwards for many devices.
 */
export type News =
  | { readonly kind: 'state' | 'owntracks'; readonly device: DeviceId; readonly bytes: Uint8Array }
  | { readonly kind: 'traccar'; readonly bytes: Uint8Array }

/** Resolves when the news is taken in. Rejects where it must not be acknowledged. */
export type NewsHandler = (news: News) => Promise<void>

/** Says who may sign in. Rejects when that cannot be told just now. */
export interface DeviceGate {
  /** The version of the credentials that let the device in; null where they don't. `token` null: a certificate said who it is. */
  admit(device: DeviceId, token: string | null): Promise<string | null>
  /** The present version of the credentials of these devices; a revoked one has none. Sessions of another version end. */
  versions(devices: readonly DeviceId[]): Promise<ReadonlyMap<DeviceId, string>>
  /** A device's sessions have ended each other again and again: two of them sign in as one. */
  contested?(device: DeviceId): void
}

/** Where batches come in. */
export interface BatchDoor {
  /** Where devices connect to, without credentials. */
  readonly url: string
  /** Leaves word for a device, until there is other word or none (null): it reads it whenever it subscribes to its context. */
  announce(device: DeviceId, context: Uint8Array | null): Promise<void>
  /** Resolves where batches can come in just now; rejects where they can't. */
  answers(): Promise<void>
  /** Admits nothing more, lets commits in hand end and be acknowledged, then hangs up. */
  close(): Promise<void>
}

/**
 * Largest MQTT packet that is read. A batch over BATCH_BYTES_MAX must still arrive, so that it is rejected by name and the
 * device moves on; far over four times that is no batch and ends the connection. More than `max_packet_size` of
 * infra/mosquitto/mosquitto.conf, and by more than MQTT 5 adds to what came in: Mosquitto acknowledges a packet that is
 * too large for us, and drops it.
 */
export const PACKET_BYTES_MAX = 4 * BATCH_BYTES_MAX + 16 * 1024

/** How long a door waits for its commits in hand when it closes. */
export const CLOSE_WAIT_MS_MAX = 10_000

export const receiptBytes = (receipt: Receipt): Buffer => Buffer.from(JSON.stringify(receipt))
