import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto'
import { invariant } from '#kernel'

// AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; nonce, ciphertext and tag are one.
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** How many bytes sealing adds. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES

/** Seals bytes under a name that has to be said again to open them. */
export function sealBytes(key: KeyObject | Uint8Array, name: string, bytes: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(name))
  const text = cipher.update(bytes)
  cipher.final()
  return Buffer.concat([nonce, text, cipher.getAuthTag()])
}

/** Opens them. A bug's error where they, the key or the name are others. */
export function openBytes(key: KeyObject | Uint8Array, name: string, sealed: Uint8Array): Buffer {
  invariant(sealed.length >= SEAL_BYTES, 'a sealed location is cut short')
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(name))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  const text = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES))
  try {
    decipher.final()
  } catch {
    // Nothing of what it would have said.
    invariant(false, `what is stored as ${name} is not what was sealed`)
  }
  return text
}
