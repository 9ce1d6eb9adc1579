import { createHmac } from 'node:crypto'
import { deviceIdSchema } from '#contracts'
import { type DeviceId } from '#kernel'

/** A device writes `batch` (and `state`, its will) and reads `receipt` and `context`; every other topic is somebody else's. */
export type Leaf = 'batch' | 'receipt' | 'context' | 'state'

export const topicOf = (device: DeviceId, leaf: Leaf): string => `roadmeter/v1/${device}/${leaf}`

const BATCHES = 'roadmeter/v1/+/batch'

/** What devices and others say besides batches. `traccar` empty: nobody forwards. */
const news = (traccar: string): string[] => [
  'roadmeter/v1/+/state',
  'owntracks/+/+',
  'owntracks/+/+/event',
  ...(traccar ? [traccar] : []),
]

/** All that is said to us. */
export const upwardTopics = (traccar: string): string[] => [BATCHES, ...news(traccar)]

/**
 * Name of the group that all ingests of one password share. Mosquitto lets everybody join a group whose name they know, deals it a
 * share of the messages, and only then sees that it may not read them: so devices must not be able to know it.
 */
export const shareGroup = (username: string, password: string): string =>
  `roadmeter-${createHmac('sha256', password).update(`share group of ${username}`).digest('hex').slice(0, 32)}`

/** Every device's batches, each handed to one connection of the group. */
export const sharedBatches = (group: string): string => `$share/${group}/${BATCHES}`

/** What is said besides batches, shared in the same way. */
export const sharedNews = (group: string, traccar: string): string[] =>
  news(traccar).map((topic) => `$share/${group}/${topic}`)

const NATIVE = /^roadmeter\/v1\/([^/]+)\/(batch|state)$/
/** As the app publishes, with its user name for ours: owntracks/{user}/{device}, transitions below it. */
const OWNTRACKS = /^owntracks\/([^/]+)\/[^/]+(?:\/event)?$/

/** What a topic that a device writes to is for, and whose it is; null where it is no such topic. */
export function upward(topic: string): { device: DeviceId; kind: 'batch' | 'state' | 'owntracks' } | null {
  const native = NATIVE.exec(topic)
  const device = deviceId((native ?? OWNTRACKS.exec(topic))?.[1])
  return device && { device, kind: native ? (native[2] as 'batch' | 'state') : 'owntracks' }
}

/** Null where the text could not be a device's id. */
export function deviceId(text: string | undefined): DeviceId | null {
  const parsed = deviceIdSchema.safeParse(text)
  return parsed.success ? parsed.data : null
}
