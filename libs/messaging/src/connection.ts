import { connect, ReasonCodes, type IClientOptions, type MqttClient } from 'mqtt'
import { InputError } from '#kernel'

const CONNECT_WAIT_MS_MAX = 10_000
const BACK_OFF_MS_MIN = 250
const BACK_OFF_MS_MAX = 15_000

/** CONNACK codes that say who we are is the trouble: bad name or password, not authorized, in MQTT 3.1.1 and in 5. */
const SIGN_IN_REFUSED = new Set([4, 5, 134, 135])

/** A broker's address as it may be shown: without user name and password. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host } = new URL(url)
    return `${protocol}//${host}`
  } catch {
    return 'an address that is no URL'
  }
}

/**
 * An mqtt.js client that keeps no message of ours beyond its connection and comes back by itself, later each time that it
 * fails. What it subscribes to is its owner's to repeat. Attach handlers before `firstConnection`.
 */
export function openClient(url: string, options: IClientOptions): MqttClient {
  const client = connect(url, {
    connectTimeout: CONNECT_WAIT_MS_MAX,
    reconnectPeriod: BACK_OFF_MS_MIN,
    reconnectOnConnackError: true,
    resubscribe: false,
    queueQoSZero: false,
    ...options,
  })
  // mqtt.js reads the period whenever a connection closes.
  client.on('reconnect', () => backOff(client))
  return client
}

export const backOff = (client: MqttClient): void => {
  client.options.reconnectPeriod = Math.min(2 * (client.options.reconnectPeriod ?? BACK_OFF_MS_MIN), BACK_OFF_MS_MAX)
}

export const resetBackOff = (client: MqttClient): void => {
  client.options.reconnectPeriod = BACK_OFF_MS_MIN
}

/** Whether an error says that the broker does not take our name and password. */
export const refusesSignIn = (error: unknown): boolean => SIGN_IN_REFUSED.has((error as { code?: number }).code ?? 0)

/** Resolves at the first connection; one that fails ends the client and throws an InputError that names the broker. */
export async function firstConnection(client: MqttClient, url: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('error', reject)
      client.once('close', () => reject(new Error('the connection was closed')))
    })
  } catch (error) {
    client.on('error', () => {})
    await hangUp(client, 0)
    const { message, code } = error as { message: string; code?: number | string }
    if (refusesSignIn(error))
      throw new InputError(
        'BROKER_REFUSED',
        `the MQTT broker at ${shownUrl(url)} refuses to sign in "${client.options.username ?? ''}": ${ReasonCodes[code as keyof typeof ReasonCodes]}`,
      )
    throw new InputError(
      'BROKER_UNREACHABLE',
      `the MQTT broker at ${shownUrl(url)} can't be reached: ${message || code || 'no answer'}`,
    )
  }
}

/** Says goodbye and closes, by force where that takes longer than `waitMsMax`. */
export async function hangUp(client: MqttClient, waitMsMax: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => {
      client.stream?.destroy()
      resolve()
    }, waitMsMax + 1_000)
    client.end(waitMsMax === 0, {}, () => {
      clearTimeout(force)
      resolve()
    })
  })
}
