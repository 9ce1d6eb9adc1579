import { AsyncLocalStorage } from 'node:async_hooks'
import { type DataSource } from 'typeorm'
import { invariant } from '#kernel'
import { entering, type Scope } from './scope'
import { type Parameter, type Sql } from './sql'
import { Vault } from './vault'
import { Wire } from './wire'

/** One transaction. Whoever has it writes SQL; bigints come back as text. What is asked in one turn goes out in one message. */
export class Tx implements Sql {
  constructor(
    private readonly wire: Wire,
    /** Through which alone locations are written and read. */
    readonly vault: Vault,
    /** Whether statements are few and small, so that the server does well to keep their plans. */
    private readonly keepsPlans = false,
  ) {}

  async rows<Row>(sql: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    const name = this.keepsPlans ? nameOf(sql) : undefined
    return (await this.wire.ask({ name, text: sql, values: bound(parameters) })).rows as Row[]
  }

  async row<Row>(sql: string, parameters: readonly Parameter[] = []): Promise<Row | null> {
    const rows = await this.rows<Row>(sql, parameters)
    invariant(rows.length <= 1, `one row expected, found ${rows.length}`)
    return rows[0] ?? null
  }

  /** Number of rows written. */
  async run(sql: string, parameters: readonly Parameter[] = []): Promise<number> {
    return (await this.wire.ask({ text: sql, values: bound(parameters) })).rowCount ?? 0
  }
}

/** Statements whose plans each connection keeps; what is asked beyond is planned every time. */
const NAMED_MAX = 500
const NAMED = new Map<string, string>()

/**
 * The name under which a connection plans a statement once and for all: the rules of row-level security make planning the dearest part of a
 * small query.
 */
function nameOf(text: string): string | undefined {
  let name = NAMED.get(text)
  if (!name && NAMED.size < NAMED_MAX) NAMED.set(text, (name = `roadmeter_${NAMED.size}`))
  return name
}

const bound = (parameters: readonly Parameter[]): unknown[] =>
  parameters.map((value) => (value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value) : value))

/**
 * Columns of many rows, as texts: quoting each element, as arrays are written, takes a fifth of the time of posting and doubles what JSON
 * takes on the way. No text of ours holds the separator: JSON escapes control characters and names have none.
 */
const BETWEEN = '\u001e'
export const joined = (values: readonly (string | number | bigint)[]): string => values.join(BETWEEN)

/** `count` such columns for unnest, as text[], the first of them parameter `$first`. There is at least one row. */
export const columns = (first: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `string_to_array($${first + i}, e'\\x1e')`).join(', ')

/** Follows a request through everything that it awaits. */
const SCOPES = new AsyncLocalStorage<Scope | null>()

/** The database, as the shell sees it: transactions, and nothing outside them. */
export class Store {
  /** Without a vault it can do all but write and read locations. */
  constructor(
    readonly dataSource: DataSource,
    readonly vault: Vault = new Vault(null),
  ) {}

  /** Every transaction that `work` begins, and whatever it calls, runs under this scope; null: under none. */
  within<T>(scope: Scope | null, work: () => T): T {
    return SCOPES.run(scope, work)
  }

  /** The same work later, as whom it is bound now: what a timer calls is nobody's request. */
  bound<T>(work: () => T): () => T {
    const scope = SCOPES.getStore() ?? null
    return () => SCOPES.run(scope, work)
  }

  /** What is written to somebody piece by piece is read as whom it was begun: the pieces are asked for when nothing else of the request goes on. */
  streamed<T>(pieces: AsyncGenerator<T>): AsyncIterable<T> {
    const scope = SCOPES.getStore() ?? null
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => SCOPES.run(scope, () => pieces.next()),
        return: () => SCOPES.run(scope, () => pieces.return(undefined)),
      }),
    }
  }

  /**
   * Runs `work` in one READ COMMITTED transaction, under the scope that it is called within: all of it is durable when this
   * resolves, none of it when it rejects.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.talk(work, false)
  }

  /**
   * Runs `work`, which only looks: what it asks in one turn (`Promise.all`) takes one way to the server and back, with nothing to begin and
   * nothing to commit. Each statement sees what is committed when it runs, as in a transaction; the server refuses whatever would write or lock.
   */
  reading<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.talk(work, true)
  }

  /** What an agency asks, or who keeps house, is of anything from a row to a year, so that one plan for all is none. */
  keepsPlans(scope: Scope | null): boolean {
    return scope !== null && !(scope.as === 'person' && scope.side === 'staff')
  }

  private async talk<T>(work: (tx: Tx) => Promise<T>, isReading: boolean): Promise<T> {
    const scope = SCOPES.getStore() ?? null
    const wire = new Wire(this.dataSource, entering(scope, isReading), isReading)
    try {
      const result = await work(new Tx(wire, this.vault, this.keepsPlans(scope)))
      await wire.commit()
      return result
    } catch (error) {
      await wire.rollback()
      throw error
    } finally {
      wire.close()
    }
  }

  /** One statement by itself. */
  read<Row>(sql: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    return this.transaction((tx) => tx.rows<Row>(sql, parameters))
  }
}
