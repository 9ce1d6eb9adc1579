import { deviceIdSchema } from '#contracts'
import { type DeviceId } from '#kernel'

/** A device writes `batch` (and `state`, its will) and reads `receipt` and `context`; every other topic is somebody else's. */
export type Leaf = 'batch' | 'receipt' | 'context' | 'state'

export const topicOf = (device: DeviceId, leaf: Leaf): string => `roadmeter/v1/${device}/${leaf}`

/** Every device's batches, each handed to one connection of the group. */
export const sharedBatches = (group: string): string => `$share/${group}/roadmeter/v1/+/batch`

const TOPIC = /^roadmeter\/v1\/([^/]+)\/batch$/

/** The device that a batch topic names; null where it names none. */
export function deviceOfBatch(topic: string): DeviceId | null {
  const match = TOPIC.exec(topic)
  return match && deviceId(match[1])
}

/** Null where the text could not be a device's id. */
export function deviceId(text: string | undefined): DeviceId | null {
  const parsed = deviceIdSchema.safeParse(text)
  return parsed.success ? parsed.data : null
}
