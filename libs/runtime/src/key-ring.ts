import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { InputError } from '#kernel'
import { openBytes, sealBytes } from './aead'
import { writeOnce } from './keys'
import { type Settings } from './settings'
import { type Wrapping, type WrappingKeys } from './wrapping'

const KEY_BYTES = 32
const HEADER = `# Roadmeter: keys under which the keys of locations are kept, base64url, one a line, the newest first.
# Whoever has this file and the database can read where people drove. Without it nobody can: keep a copy elsewhere.`

/** Names a key without saying anything of it. */
const idOf = (key: Uint8Array): string =>
  createHash('sha256').update('roadmeter key-encryption key').update(key).digest('hex').slice(0, 16)

/**
 * The key-encryption keys of this installation: a file of 32-byte keys, which processes share and nobody else reads. Read when
 * it is first asked for, and again when it is another file than was read: a rotation elsewhere has added a key, or destroyed one, which
 * is then held by no process either that asks for any.
 */
export class KeyRing implements WrappingKeys {
  readonly file: string
  private keys: ReadonlyMap<string, Uint8Array> = new Map()
  private readAs: string | null = null

  constructor({ keyFile, dataDir }: Pick<Settings, 'keyFile' | 'dataDir'>) {
    this.file = keyFile || path.join(dataDir, 'location.key')
  }

  get place(): string {
    return this.file
  }

  async require(id: string): Promise<void> {
    this.required(id)
  }

  async wrap(id: string, all: readonly Wrapping[]): Promise<Buffer[]> {
    const key = this.required(id)
    return all.map(({ name, bytes }) => sealBytes(key, name, bytes))
  }

  async unwrap(id: string, all: readonly Wrapping[]): Promise<Buffer[]> {
    const key = this.required(id)
    return all.map(({ name, bytes }) => openBytes(key, name, bytes))
  }

  /** Null where the file doesn't hold it. */
  key(id: string): Uint8Array | null {
    return this.held().get(id) ?? null
  }

  /** The newest key of the file; made, with the file, where there is none. */
  async newest(): Promise<string> {
    if (this.held().size === 0) writeOnce(this.file, text([randomBytes(KEY_BYTES)]))
    return this.held().keys().next().value!
  }

  /** Adds a new key before the others, and returns its name: the file is replaced whole. */
  async add(): Promise<string> {
    await this.newest()
    const key = randomBytes(KEY_BYTES)
    this.replace([key, ...this.held().values()])
    return idOf(key)
  }

  /** Takes all other keys out of the file: what they kept can't be read by it any more. */
  async keepOnly(id: string): Promise<void> {
    this.replace([...this.held()].filter(([name]) => name === id).map(([, key]) => key))
  }

  private required(id: string): Uint8Array {
    const key = this.key(id)
    if (!key)
      throw new InputError(
        'LOCATION_KEY',
        `${this.file} doesn't hold key ${id}, under which the locations of this database are kept: name the right file in ROADMETER_KEY_FILE`,
      )
    return key
  }

  private held(): ReadonlyMap<string, Uint8Array> {
    // Before it is read: what replaces it meanwhile is seen the next time.
    const found = this.standing()
    if (found !== this.readAs) this.keys = this.read()
    this.readAs = found
    return this.keys
  }

  private replace(keys: readonly Uint8Array[]): void {
    const mine = `${this.file}.${process.pid}`
    try {
      writeFileSync(mine, text(keys), { mode: 0o600 })
      renameSync(mine, this.file)
    } catch (error) {
      throw new InputError('LOCATION_KEY', `the key file can't be written: ${(error as Error).message}`)
    }
  }

  /** Which file it is: one that replaces another has another number. */
  private standing(): string {
    try {
      const { ino, mtimeNs } = statSync(this.file, { bigint: true })
      return `${ino} ${mtimeNs}`
    } catch {
      // Reading it tells why.
      return ''
    }
  }

  private read(): Map<string, Uint8Array> {
    let lines: string[]
    try {
      lines = readFileSync(this.file, 'utf8').split('\n')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
      throw new InputError('LOCATION_KEY', `the key file can't be read: ${(error as Error).message}`)
    }
    const keys = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(
      keys.map((line) => {
        const key = Buffer.from(line, 'base64url')
        // Without what the line holds: it may be a key after all.
        if (key.length !== KEY_BYTES || key.toString('base64url') !== line)
          throw new InputError('LOCATION_KEY', `${this.file} holds a line that is no key of 32 bytes in base64url`)
        return [idOf(key), new Uint8Array(key)]
      }),
    )
  }
}

const text = (keys: readonly Uint8Array[]): string =>
  `${[HEADER, ...keys.map((key) => Buffer.from(key).toString('base64url'))].join('\n')}\n`
