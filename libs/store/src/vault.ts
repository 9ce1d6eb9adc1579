import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { InputError, invariant } from '#kernel'
import { openBytes, sealBytes, type WrappingKeys } from '#runtime'
import { type Sql } from './sql'

/** Whose locations of which time a data key keeps: what has one key is destroyed together. */
export interface Place {
  /** A device for what it sent, a vehicle for what was matched, or another name for what has an end of its own. */
  readonly subject: string
  readonly period: string
}

export interface Unsealed {
  readonly place: Place
  /** What it is and of what: bound to the bytes, so that no row's content can be put in the place of another's. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** Bytes as they are stored. `key` null: as they were before locations were sealed. */
export interface Sealed {
  readonly key: string | null
  readonly bytes: Uint8Array
}

/** Unwrapped keys that a process remembers, least recently used out first: some 200 bytes each. */
const KEYS_REMEMBERED_MAX = 20_000

/**
 * Keeps locations: sealed by a data key for each vehicle (or device) and period, which is stored wrapped by a key that is not in
 * the database. Destroying a wrapped key destroys what it sealed, in every copy of the database.
 *
 * AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces: a data key seals some thousands of times in its period, far below the
 * 2^32 of section 8.3. Nonce, ciphertext and tag are stored as one.
 */
export class Vault {
  private readonly remembered = new Map<string, KeyObject>()
  /** The data keys of places, by what was found last: one may be gone. */
  private readonly placed = new Map<string, string>()

  constructor(private readonly ring: WrappingKeys | null) {}

  /** What the vault did, for metrics and benches. */
  readonly counts = { sealed: 0, opened: 0, unwrapped: 0 }

  /**
   * Throws InputError where the key file doesn't hold the key of this database; the first process of a new database makes one.
   * Returns the name of the key that new data keys are wrapped with, held until the transaction ends.
   */
  async ready(tx: Sql): Promise<string> {
    const current = () =>
      tx.row<{ id: string }>(`select id from location.wrapping_key where retired_at is null for share`)
    let row = await current()
    if (!row) {
      await tx.run(`insert into location.wrapping_key (id) values ($1) on conflict do nothing`, [
        await this.keys.newest(),
      ])
      row = await current()
    }
    await this.keys.require(row!.id)
    return row!.id
  }

  /**
   * Seals each of these. The data keys are held until the transaction ends: nobody destroys one while something is being put
   * under it.
   */
  async seal(tx: Sql, all: readonly Unsealed[]): Promise<{ key: string; bytes: Buffer }[]> {
    if (all.length === 0) return []
    const keys = await this.keysFor(
      tx,
      all.map(({ place }) => place),
    )
    this.counts.sealed += all.length
    return all.map(({ place, name, bytes }) => {
      const { id, key } = keys.get(placeKey(place))!
      return { key: id, bytes: sealBytes(key, name, bytes) }
    })
  }

  /**
   * Seals under the key that is remembered for its place, without asking for it; null where none is. The statement that stores it has to
   * hold the key's row, and where that is gone it is sealed again, by `seal`.
   */
  sealAhead({ place, name, bytes }: Unsealed): { key: string; bytes: Buffer } | null {
    const id = this.placed.get(placeKey(place))
    const key = id === undefined ? undefined : this.recall(id)
    if (id === undefined || !key) return null
    this.counts.sealed++
    return { key: id, bytes: sealBytes(key, name, bytes) }
  }

  /** Opens each of these. Throws InputError LOCATION_GONE where a key was destroyed, and a bug's error where bytes were changed. */
  async open(tx: Sql, all: readonly (Sealed & { readonly name: string })[]): Promise<Uint8Array[]> {
    const keys = new Map<string, KeyObject>()
    const unknown = new Set<string>()
    for (const { key: id } of all) {
      if (id === null) continue
      const key = this.recall(id)
      if (key) keys.set(id, key)
      else unknown.add(id)
    }
    // Held apart from what is remembered: a page may be of more keys than that.
    if (unknown.size > 0)
      for (const [id, key] of await this.unwrap(
        await tx.rows<KeyRow>(`${KEY} where id = any($1::int8[])`, [[...unknown]]),
      ))
        keys.set(id, key)
    return all.map(({ key: id, name, bytes }) => {
      if (id === null) return bytes
      const key = keys.get(id)
      if (!key) throw new InputError('LOCATION_GONE', 'these locations were destroyed and can not be read any more')
      this.counts.opened++
      return openBytes(key, name, bytes)
    })
  }

  /**
   * Destroys data keys under which nothing is stored any more, and says which. The caller has taken the rows away; what still
   * has some stays.
   */
  async destroy(tx: Sql, keys: readonly string[]): Promise<string[]> {
    const ids = [...new Set(keys)]
    if (ids.length === 0) return []
    // First locked, then looked at: who was about to seal under one has committed, and its row is seen.
    await tx.rows(`select id from location.data_key where id = any($1::int8[]) order by id for update`, [ids])
    const gone = await tx.rows<{ id: string }>(
      `delete from location.data_key k where id = any($1::int8[]) and not (${IN_USE}) returning id`,
      [ids],
    )
    for (const { id } of gone) this.remembered.delete(id)
    return gone.map(({ id }) => id)
  }

  /** Begins a rotation: new data keys are wrapped with a new key from here on. Both are in the file until the last is rewrapped. */
  async beginRotation(tx: Sql): Promise<string> {
    await this.ready(tx)
    const id = await this.keys.add()
    await tx.run(`update location.wrapping_key set retired_at = clock_timestamp() where retired_at is null`)
    await tx.run(`insert into location.wrapping_key (id) values ($1)`, [id])
    return id
  }

  /** Wraps up to `most` data keys anew with the current key; returns how many there were. */
  async rewrap(tx: Sql, most: number): Promise<number> {
    const current = await this.ready(tx)
    const rows = await tx.rows<KeyRow>(`${KEY} where kek <> $1 order by id limit ${most} for update`, [current])
    await tx.run(
      `update location.data_key k set kek = $1, wrapped = n.wrapped from unnest($2::int8[], $3::bytea[]) as n(id, wrapped) where k.id = n.id`,
      [
        current,
        rows.map(({ id }) => id),
        await this.keys.wrap(
          current,
          (await this.bare(rows)).map((bytes, i) => ({ name: nameOf(rows[i]), bytes })),
        ),
      ],
    )
    return rows.length
  }

  /** Ends a rotation: the keys before are taken out of the file. Refused while a data key needs one. */
  async endRotation(tx: Sql): Promise<void> {
    const current = await this.ready(tx)
    const left = await tx.row(`select 1 from location.data_key where kek <> $1 limit 1`, [current])
    invariant(!left, 'a data key is still wrapped with the key before')
    await this.keys.keepOnly(current)
  }

  private get keys(): WrappingKeys {
    if (!this.ring) throw new InputError('LOCATION_KEY', 'this process was given no key file, so it keeps no locations')
    return this.ring
  }

  private async keysFor(tx: Sql, places: readonly Place[]): Promise<Map<string, { id: string; key: KeyObject }>> {
    // In one order, or two that make the same keys would wait for each other.
    const asked = [...new Map(places.map((place) => [placeKey(place), place])).entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, place]) => place)
    const load = async (some: readonly Place[]) =>
      tx.rows<KeyRow>(
        `${KEY} where (subject, period) in (select * from unnest($1::text[], $2::text[])) order by id for key share`,
        [some.map(({ subject }) => subject), some.map(({ period }) => period)],
      )
    let rows = await load(asked)
    if (rows.length < asked.length) {
      const known = new Set(rows.map(placeKey))
      const missing = asked.filter((place) => !known.has(placeKey(place)))
      const kek = await this.ready(tx)
      await tx.run(
        `insert into location.data_key (subject, period, kek, wrapped)
         select subject, period, $1, wrapped from unnest($2::text[], $3::text[], $4::bytea[]) as n(subject, period, wrapped) on conflict do nothing`,
        [
          kek,
          missing.map(({ subject }) => subject),
          missing.map(({ period }) => period),
          await this.keys.wrap(
            kek,
            missing.map((place) => ({ name: nameOf(place), bytes: randomBytes(32) })),
          ),
        ],
      )
      rows = [...rows, ...(await load(missing))]
    }
    invariant(rows.length === asked.length, 'a data key was destroyed while it was asked for')
    const keys = await this.keysOf(rows)
    for (const row of rows) {
      this.placed.delete(placeKey(row))
      this.placed.set(placeKey(row), row.id)
      if (this.placed.size > KEYS_REMEMBERED_MAX) this.placed.delete(this.placed.keys().next().value!)
    }
    return new Map(rows.map((row) => [placeKey(row), { id: row.id, key: keys.get(row.id)! }]))
  }

  private recall(id: string): KeyObject | undefined {
    const key = this.remembered.get(id)
    if (key) {
      this.remembered.delete(id)
      this.remembered.set(id, key)
    }
    return key
  }

  /** Remembered, or else unwrapped: held apart from what is remembered, of which others may drop some meanwhile. */
  private async keysOf(rows: readonly KeyRow[]): Promise<Map<string, KeyObject>> {
    const keys = new Map<string, KeyObject>()
    const unknown = rows.filter((row) => {
      const key = this.recall(row.id)
      if (key) keys.set(row.id, key)
      return !key
    })
    for (const [id, key] of await this.unwrap(unknown)) keys.set(id, key)
    return keys
  }

  private async unwrap(rows: readonly KeyRow[]): Promise<Map<string, KeyObject>> {
    const bare = await this.bare(rows)
    this.counts.unwrapped += rows.length
    const fresh = new Map(rows.map(({ id }, i) => [id, createSecretKey(bare[i])]))
    for (const [id, key] of fresh) {
      this.remembered.set(id, key)
      if (this.remembered.size > KEYS_REMEMBERED_MAX) this.remembered.delete(this.remembered.keys().next().value!)
    }
    return fresh
  }

  /** The data keys themselves, in the order of their rows: those of one wrapping key are asked for together. */
  private async bare(rows: readonly KeyRow[]): Promise<Buffer[]> {
    const bare = new Map<string, Buffer>()
    for (const kek of new Set(rows.map((row) => row.kek))) {
      const some = rows.filter((row) => row.kek === kek)
      const told = await this.keys.unwrap(
        kek,
        some.map((row) => ({ name: nameOf(row), bytes: row.wrapped })),
      )
      for (const [i, { id }] of some.entries()) bare.set(id, told[i])
    }
    return rows.map(({ id }) => bare.get(id)!)
  }
}

interface KeyRow extends Place {
  readonly id: string
  readonly kek: string
  readonly wrapped: Uint8Array
}
const KEY = `select id, subject, period, kek, wrapped from location.data_key`
/** What may be sealed with a data key `k`. Its subject says where to look, so that an index finds it. */
const IN_USE = `exists (select 1 from location.batch b where b.device = k.subject and b.key = k.id)
  or (k.subject = 'rejected' and exists (select 1 from location.quarantine q where q.key = k.id))
  or exists (select 1 from location.evidence e where 'dispute/' || e.dispute = k.subject and e.key = k.id)
  or exists (select 1 from metering.odometer_photo p where 'photo/' || p.vehicle = k.subject and p.key = k.id)
  or exists (select 1 from metering.trip t where t.vehicle = k.subject and t.month = k.period
    and (exists (select 1 from location.path p where p.trip = t.id and p.key = k.id)
      or exists (select 1 from location.report r where r.trip = t.id and r.key = k.id)
      or exists (select 1 from location.fates f where f.trip = t.id and f.key = k.id)))`

const placeKey = ({ subject, period }: Place): string => `${subject} ${period}`
const nameOf = ({ subject, period }: Place): string => `data key of ${subject} ${period}`
