import { AsyncLocalStorage } from 'node:async_hooks'
import { type DataSource, type EntityTarget, type ObjectLiteral, type QueryRunner, type Repository } from 'typeorm'
import { InputError, invariant } from '#kernel'
import { Vault } from './vault'
import { entering, type Scope } from './scope'
import { type Parameter, type Sql } from './sql'

/** One transaction. Whoever has it writes SQL; bigints come back as text. */
export class Tx implements Sql {
  constructor(
    private readonly runner: QueryRunner,
    /** Through which alone locations are written and read. */
    readonly vault: Vault,
    /** Whether statements are few and small, so that the server does well to keep their plans. */
    private readonly keepsPlans = false,
  ) {}

  async rows<Row>(sql: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    const result = await this.runner.query(this.keepsPlans ? named(sql) : sql, bound(parameters), true)
    return result.records as Row[]
  }

  async row<Row>(sql: string, parameters: readonly Parameter[] = []): Promise<Row | null> {
    const rows = await this.rows<Row>(sql, parameters)
    invariant(rows.length <= 1, `one row expected, found ${rows.length}`)
    return rows[0] ?? null
  }

  repository<Row extends ObjectLiteral>(row: EntityTarget<Row>): Repository<Row> {
    return this.runner.manager.getRepository(row)
  }

  /** Number of rows written. */
  async run(sql: string, parameters: readonly Parameter[] = []): Promise<number> {
    const result = await this.runner.query(sql, bound(parameters), true)
    return result.affected ?? 0
  }
}

/** Statements whose plans each connection keeps; what is asked beyond is planned every time. */
const NAMED_MAX = 500
const NAMED = new Map<string, string>()

/**
 * A statement under a name, which its connection plans once and for all: the rules of row-level security make planning the dearest part of a
 * small query. TypeORM hands on what it is given, and pg takes a statement with its name in place of a text.
 */
function named(text: string): string {
  let name = NAMED.get(text)
  if (!name) {
    if (NAMED.size >= NAMED_MAX) return text
    NAMED.set(text, (name = `roadmeter_${NAMED.size}`))
  }
  return { name, text } as unknown as string
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

async function begin(runner: QueryRunner, tx: Tx, scope: Scope | null): Promise<void> {
  if (!scope) return runner.startTransaction()
  const { sql, parameters } = entering(scope)
  if (parameters.length > 0) {
    await runner.startTransaction()
    await tx.rows(sql, parameters)
    return
  }
  // TypeORM begins by a query of its own, which takes ours along: it always ends with its transaction.
  const query = runner.query.bind(runner) as (text: string) => Promise<unknown>
  runner.query = ((text: string) => query(`${text}; ${sql}`)) as typeof runner.query
  try {
    await runner.startTransaction()
  } finally {
    Reflect.deleteProperty(runner, 'query')
  }
}

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
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner()
    try {
      const scope = SCOPES.getStore() ?? null
      // What an agency asks is of anything from a row to a year, so that one plan for all is none.
      const tx = new Tx(runner, this.vault, scope !== null && !(scope.as === 'person' && scope.side === 'staff'))
      await begin(runner, tx, scope)
      const result = await work(tx)
      await runner.commitTransaction()
      return result
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined)
      // What the driver has to tell people, such as a full disk, is theirs as it is.
      const told = (error as { driverError?: unknown }).driverError
      throw told instanceof InputError ? told : error
    } finally {
      await runner.release()
    }
  }

  /** One statement by itself. */
  read<Row>(sql: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    return this.transaction((tx) => tx.rows<Row>(sql, parameters))
  }
}
