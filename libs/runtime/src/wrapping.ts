/** A data key, and what it is of: bound to the bytes, so that no row's key can be put in the place of another's. */
export interface Wrapping {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Where the keys are under which data keys are kept: never in the database. Two ways: a file that the processes share (KeyRing), and
 * a key service that wraps and unwraps without ever giving its keys away (TransitKeys).
 */
export interface WrappingKeys {
  /** For messages: which file, or which address. */
  readonly place: string
  /** The name of the newest key; made where there is none. */
  newest(): Promise<string>
  /** Throws InputError LOCATION_KEY where this key isn't held. */
  require(id: string): Promise<void>
  /** Begins a rotation: a new key, and its name. */
  add(): Promise<string>
  /** Ends one: what the keys before have kept can't be read any more. */
  keepOnly(id: string): Promise<void>
  wrap(id: string, all: readonly Wrapping[]): Promise<Buffer[]>
  /** Throws a bug's error where something isn't what was wrapped, and InputError LOCATION_KEY where the key isn't held or can't be reached. */
  unwrap(id: string, all: readonly Wrapping[]): Promise<Buffer[]>
}
