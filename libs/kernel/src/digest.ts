import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { invariant } from './invariant'

/** SHA-256 in lower-case hexadecimal. */
export type Digest = string & { readonly __digest: true }

/** What canonical JSON can say. Bigints are written as decimal strings. */
export type Canonical =
  string | number | bigint | boolean | null | undefined | readonly Canonical[] | { readonly [key: string]: Canonical }

/**
 * Canonical JSON: keys sorted by code unit, no white space, undefined members left out, bigint as decimal string. Equal
 * values give equal bytes, whatever built them. NaN and infinities are bugs.
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `"${value}"`
  if (typeof value === 'number') {
    invariant(Number.isFinite(value), `no canonical form for ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  invariant(typeof value === 'object', `no canonical form for a ${typeof value}`)
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}

/** SHA-256 of bytes, or of the canonical JSON of anything else. */
export const digest = (value: unknown): Digest =>
  bytesToHex(sha256(value instanceof Uint8Array ? value : utf8ToBytes(canonical(value)))) as Digest
