import { readFileSync } from 'node:fs'
import { InputError, invariant } from '#kernel'
import { type Settings } from './settings'
import { type Wrapping, type WrappingKeys } from './wrapping'

const ANSWER_MS_MAX = 5_000
/** What one request wraps or unwraps: a service bounds its requests by their size. */
const AT_ONCE = 500

/**
 * A key service that speaks the transit engine's HTTP API of Vault and OpenBao (POST .../encrypt/NAME, .../decrypt/NAME,
 * .../keys/NAME/rotate): the key never leaves it, each use can be refused and is in its own log. A wrapping key's name is
 * `NAME/vVERSION`; what is wrapped is the service's own text (`vault:v1:...`), bound to its name as associated data.
 */
export class TransitKeys implements WrappingKeys {
  readonly place: string
  private readonly engine: string
  private readonly name: string
  private readonly tokenFile: string

  /** `keyService` is the address of the key: https://vault.example:8200/v1/transit/keys/roadmeter. */
  constructor({ keyService, keyServiceTokenFile }: Pick<Settings, 'keyService' | 'keyServiceTokenFile'>) {
    const found = /^(.+)\/keys\/([A-Za-z0-9_.-]+)$/.exec(keyService)
    if (!found) refuse(`${keyService} is not the address of a key: expected .../v1/transit/keys/NAME`)
    this.place = keyService
    ;[, this.engine, this.name] = found as unknown as [string, string, string]
    this.tokenFile = keyServiceTokenFile
  }

  async newest(): Promise<string> {
    const held = await this.ask('GET', `keys/${this.name}`)
    if (held) return this.named(held.latest_version as number)
    await this.ask('POST', `keys/${this.name}`, { type: 'aes256-gcm96', exportable: false })
    return this.named((await this.known()).latest_version as number)
  }

  async require(id: string): Promise<void> {
    const version = this.versionOf(id)
    const { latest_version: latest, min_decryption_version: first = 1 } = await this.known()
    if (version > (latest as number) || version < (first as number))
      refuse(`${this.place} doesn't open what ${id} has kept: name the right key in ROADMETER_KEY_SERVICE`)
  }

  async add(): Promise<string> {
    await this.newest()
    await this.ask('POST', `keys/${this.name}/rotate`, {})
    return this.named((await this.known()).latest_version as number)
  }

  async keepOnly(id: string): Promise<void> {
    const version = this.versionOf(id)
    await this.ask('POST', `keys/${this.name}/config`, {
      min_decryption_version: version,
      min_encryption_version: version,
    })
  }

  async wrap(id: string, all: readonly Wrapping[]): Promise<Buffer[]> {
    const key_version = this.versionOf(id)
    const wrapped = await this.batches('encrypt', all, ({ name, bytes }) => ({
      plaintext: base64(bytes),
      associated_data: base64(Buffer.from(name)),
      key_version,
    }))
    return wrapped.map(({ ciphertext }) => Buffer.from(ciphertext as string))
  }

  async unwrap(id: string, all: readonly Wrapping[]): Promise<Buffer[]> {
    this.versionOf(id)
    const bare = await this.batches('decrypt', all, ({ name, bytes }) => ({
      ciphertext: Buffer.from(bytes).toString(),
      associated_data: base64(Buffer.from(name)),
    }))
    return bare.map(({ plaintext }) => Buffer.from(plaintext as string, 'base64'))
  }

  private async batches(
    what: 'encrypt' | 'decrypt',
    all: readonly Wrapping[],
    item: (one: Wrapping) => object,
  ): Promise<Record<string, unknown>[]> {
    const done: Record<string, unknown>[] = []
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE)
      const answer = await this.ask('POST', `${what}/${this.name}`, { batch_input: some.map(item) })
      const results = (answer?.batch_results ?? []) as Record<string, unknown>[]
      invariant(results.length === some.length, `${this.place} answered ${results.length} of ${some.length}`)
      for (const [i, result] of results.entries())
        // Its own words may quote what was sent.
        invariant(!result.error, `what is stored as ${some[i].name} is not what was wrapped`)
      done.push(...results)
    }
    return done
  }

  private async known(): Promise<Record<string, unknown>> {
    return (await this.ask('GET', `keys/${this.name}`)) ?? refuse(`there is no key at ${this.place}`)
  }

  /** The answer's data; null for what isn't there. */
  private async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Record<string, unknown> | null> {
    let answer: Response
    try {
      answer = await fetch(`${this.engine}/${path}`, {
        method,
        headers: { 'x-vault-token': this.token(), 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      })
    } catch (error) {
      if (error instanceof InputError) throw error
      return refuse(
        `${this.place} can't be reached: ${(error as Error).cause ? String((error as Error).cause) : (error as Error).message}`,
      )
    }
    if (answer.status === 404) return null
    const told = (await answer.json().catch(() => ({}))) as { data?: Record<string, unknown>; errors?: unknown[] }
    // A batch of which some could not be done says so item by item, with 400.
    if (!answer.ok && !told.data?.batch_results)
      refuse(`${this.place} answered ${answer.status} to ${path.split('/')[0]}`)
    return told.data ?? {}
  }

  private token(): string {
    try {
      return readFileSync(this.tokenFile, 'utf8').trim()
    } catch (error) {
      return refuse(`ROADMETER_KEY_SERVICE_TOKEN_FILE can't be read: ${(error as Error).message}`)
    }
  }

  private named(version: number): string {
    return `${this.name}/v${version}`
  }

  private versionOf(id: string): number {
    const version = id.startsWith(`${this.name}/v`) ? Number(id.slice(this.name.length + 2)) : NaN
    return Number.isSafeInteger(version)
      ? version
      : refuse(`${this.place} doesn't hold key ${id}, under which the locations of this database are kept`)
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const refuse = (why: string): never => {
  throw new InputError('LOCATION_KEY', why)
}
