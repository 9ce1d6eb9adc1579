import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { InputError } from '#kernel'
import { type Settings } from './settings'

/** What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410, section 4 and 7). */
const PUBLIC = Buffer.from('302a300506032b6570032100', 'hex')
const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex')
const KEYS_REMEMBERED_MAX = 20_000

const remembered = new Map<string, KeyObject>()

/** Null where the bytes are no Ed25519 public key. */
function publicKey(key: Uint8Array): KeyObject | null {
  const name = Buffer.from(key).toString('base64')
  const known = remembered.get(name)
  if (known) return known
  try {
    const made = createPublicKey({ key: Buffer.concat([PUBLIC, key]), format: 'der', type: 'spki' })
    if (remembered.size >= KEYS_REMEMBERED_MAX) remembered.clear()
    remembered.set(name, made)
    return made
  } catch {
    return null
  }
}

/** Whether `sig` (base64url) is the signature of a text by the owner of an Ed25519 public key of 32 bytes. Off the main thread. */
export async function isSignedBy(key: Uint8Array, text: string, sig: string): Promise<boolean> {
  const signature = Buffer.from(sig, 'base64url')
  // One signature has one text: of others, whose last bits differ, a reader in a hurry would make the same 64 bytes.
  const isCanonical = signature.length === 64 && signature.toString('base64url') === sig
  const by = key.length === 32 && isCanonical ? publicKey(key) : null
  if (!by) return false
  return new Promise((resolve) =>
    verify(null, Buffer.from(text), by, signature, (error, good) => resolve(!error && good)),
  )
}

/** An Ed25519 key that signs. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The signature of a text, base64url. Off the main thread. */
  sign(text: string): Promise<string>
  /** The same, at once: for whoever has time. */
  signNow(text: string): string
}

function signingKey(key: KeyObject): SigningKey {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(PUBLIC.length)),
    sign: (text) =>
      new Promise((resolve, reject) =>
        sign(null, Buffer.from(text), key, (error, made) =>
          error ? reject(error) : resolve(made.toString('base64url')),
        ),
      ),
    signNow: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  }
}

/** The key that 32 secret bytes make: the same bytes, the same key. */
export const signingKeyOf = (seed: Uint8Array): SigningKey =>
  signingKey(createPrivateKey({ key: Buffer.concat([PRIVATE, seed]), format: 'der', type: 'pkcs8' }))

/**
 * The operator's key, which signs receipts: from the file that the settings name, made there at the first start. Processes
 * that share the file share the key; whoever is first makes it. Throws InputError where the file holds something else.
 */
export function openOperatorKey({ operatorKey, dataDir }: Pick<Settings, 'operatorKey' | 'dataDir'>): SigningKey {
  const file = operatorKey || path.join(dataDir, 'operator.key')
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new InputError('OPERATOR_KEY', `the operator's key can't be read: ${(error as Error).message}`)
    pem = makeKey(file)
  }
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return signingKey(key)
  } catch {
    // Told below, without what the file holds.
  }
  throw new InputError('OPERATOR_KEY', `${file} holds no Ed25519 private key in PEM`)
}

function makeKey(file: string): string {
  try {
    writeOnce(file, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new InputError('OPERATOR_KEY', `the operator's key can't be made: ${(error as Error).message}`)
  }
}

/**
 * Writes a file that nobody else may read, whole or not at all, and never over another's: of processes that start at once the
 * first one's stays.
 */
export function writeOnce(file: string, secret: string): void {
  const mine = `${file}.${process.pid}`
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(mine, secret, { mode: 0o600 })
  chmodSync(mine, 0o600)
  try {
    linkSync(mine, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(mine, { force: true })
  }
}
