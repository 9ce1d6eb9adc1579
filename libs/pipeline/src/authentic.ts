import { createHash } from 'node:crypto'
import { type Decoded } from '#contracts'
import { isSignedBy } from '#runtime'
import { type Arrival, type DeviceKeys } from '#store'

/** A message that is decoded and not yet judged. */
export type Sent = Pick<Arrival, 'device' | 'bytes' | 'decoded' | 'source'>

/** Judges by the keys of its device whether a message is its word, and takes the digest of its content. */
export async function arrivalOf(sent: Sent, { mustSign, keys }: DeviceKeys): Promise<Arrival> {
  const { device, bytes, decoded, source } = sent
  const authentic = !mustSign || (decoded.signed !== null && (await isSignedByAny(keys, decoded.signed)))
  const contentDigest = decoded.ok ? createHash('sha256').update(decoded.content).digest('hex') : null
  return { device, bytes, decoded, authentic, contentDigest, source }
}

async function isSignedByAny(keys: readonly Uint8Array[], { content, sig }: NonNullable<Decoded['signed']>) {
  for (const key of keys) if (await isSignedBy(key, content, sig)) return true
  return false
}
