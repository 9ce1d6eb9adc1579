import { deviceIdSchema } from '#contracts'
import { type DeviceId } from '#kernel'

/** A device writes `batch` (and `state`, its will) and reads `receipt` and `context`; every other topic is somebody else's. */
export type Leaf = 'batch' | 'receipt' | 'context' | 'state'

export const topicOf = (device: DeviceId, leaf: Leaf): string => `roadmeter/v1/${device}/${leaf}`

/** Every device's batches, each handed to one connection of the group. */
export const sharedBatches = (group: string): string => `$share/${group}/roadmeter/v1/+/batch`

/** What devices and others say besides batches, shared in the same way. `traccar` empty: nobody forwards. */
export const sharedNews = (group: string, traccar: string): string[] => [
  `$share/${group}/roadmeter/v1/+/state`,
  `$share/${group}/owntracks/+/+`,
  `$share/${group}/owntracks/+/+/event`,
  ...(traccar ? [`$share/${group}/${traccar}`] : []),
]

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
