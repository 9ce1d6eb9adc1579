import { EventEmitter } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
// As `import()` below sees them: the package has its types twice.
import type { PGlite, Transaction } from '@electric-sql/pglite' with { 'resolution-mode': 'import' }
import { InputError } from '#kernel'
import { type Result } from './bundle'

type Answer = (error: unknown, result?: Result) => void
type Query = string | { text: string; values?: unknown[] }

/** int8 and numeric arrive as text, as node-postgres hands them over; bytea is read at once, where PGlite goes byte by byte. */
const PARSERS = {
  20: (value: string) => value,
  1700: (value: string) => value,
  17: (value: string) => Buffer.from(value.slice(2), 'hex'),
}
const SERIALIZERS = {
  17: (value: Uint8Array) => `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`,
}
/** bool, int2, int4, text, json, float4, float8, varchar, jsonb and arrays of int4 and text: all that our rows are made of. */
const TYPES_USED = new Set([16, 21, 23, 25, 114, 700, 701, 1043, 3802, 1007, 1009])
const LOCK = 'roadmeter.lock'
/** Below this much free space no transaction is begun: PostgreSQL ends, and never answers again, when its disk is full. */
const FREE_BYTES_MIN = 96 * 1024 * 1024

/**
 * PostgreSQL with PostGIS inside this process, with its files in `folder`. It survives `kill -9` (PostgreSQL's own
 * write-ahead log) but not a power cut (no fsync). One process at a time: a second one is refused by name.
 */
export async function openEmbedded(folder: string): Promise<PGlite> {
  const release = await lockFolder(folder)
  try {
    // Loaded when it is opened: with a server nobody needs it.
    const [{ PGlite }, { postgis }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('@electric-sql/pglite-postgis'),
    ])
    const database = await PGlite.create({ dataDir: path.join(folder, 'db'), extensions: { postgis } })
    // PGlite copies its parsers for every result: with a dozen in place of 318 a small query takes a third of the time.
    database.parsers = Object.fromEntries(
      Object.entries(database.parsers).filter(([type]) => TYPES_USED.has(Number(type))),
    )
    const close = database.close.bind(database)
    database.close = async () => {
      await close()
      release()
    }
    return database
  } catch (error) {
    release()
    throw new InputError('DATABASE', `the embedded database in ${folder} can't be opened: ${(error as Error).message}`)
  }
}

/** How long a holder that is being killed is given to be gone. */
const HOLDER_GONE_MS_MAX = 5_000

/** Takes the folder for this process, or says who has it. The lock of a process that is gone is taken over. */
async function lockFolder(folder: string): Promise<() => void> {
  const lock = path.join(folder, LOCK)
  try {
    fs.mkdirSync(folder, { recursive: true })
    for (let waitedMs = 0; ; waitedMs += 100) {
      const holder = fs.existsSync(lock) ? fs.readFileSync(lock, 'utf8') : ''
      const pid = Number(holder.split(' ')[0])
      const mark = pid && pid !== process.pid ? processMark(pid) : null
      // A lock without a start time was written where there is no /proc: then the number must do.
      if (mark === null || (mark !== holder && holder.includes(' '))) break
      if (waitedMs >= HOLDER_GONE_MS_MAX)
        throw new InputError(
          'DATABASE_IN_USE',
          `${folder} is in use by process ${pid}; stop it, or name another folder in ROADMETER_DATA`,
        )
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    fs.writeFileSync(lock, processMark(process.pid) ?? '')
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('DATABASE', `${folder} can't be used for data: ${(error as Error).message}`)
  }
  return () => fs.rmSync(lock, { force: true })
}

/**
 * Names a living process: its number and, where /proc tells, when it was started, since numbers are used again. null for one
 * that is gone, or killed and only waiting for its parent to notice.
 */
function processMark(pid: number): string | null {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null
  }
  let stat: string
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return String(pid)
  }
  // After the name in parentheses: the state, and as the 20th from there the start time (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return 'ZX'.includes(fields[0]) ? null : `${pid} ${fields[19]}`
}

/**
 * What TypeORM's postgres driver takes in place of `pg`: a pool whose clients share one embedded database. There is one
 * session, so a transaction keeps everybody else waiting; whoever takes a second connection inside one waits for ever.
 */
export function embeddedDriver(database: PGlite, folder: string) {
  class Pool extends EventEmitter {
    readonly options = {}
    connect(answer: (error: unknown, client?: EmbeddedClient, release?: () => void) => void): void {
      const client = new EmbeddedClient(database, folder)
      setImmediate(() => answer(undefined, client, () => client.release()))
    }
    /** The pool is all that uses the database, so they end together. */
    end(answer?: (error?: unknown) => void): void {
      database.close().then(() => answer?.(), answer)
    }
  }
  return { Pool, types: { getTypeParser: () => (value: unknown) => value, setTypeParser: () => undefined } }
}

/** As a client of `pg`, as far as TypeORM and Wire ask it. */
export class EmbeddedClient extends EventEmitter {
  private transaction: OpenTransaction | null = null

  constructor(
    private readonly database: PGlite,
    private readonly folder: string,
  ) {
    super()
    this.setMaxListeners(0)
  }

  query(query: Query, values?: readonly unknown[]): Promise<Result>
  query(query: Query, values?: readonly unknown[] | Answer, answer?: Answer): Promise<Result> | void
  query(query: Query, values?: readonly unknown[] | Answer, answer?: Answer): Promise<Result> | void {
    if (typeof values === 'function') {
      answer = values
      values = undefined
    }
    const text = typeof query === 'string' ? query : query.text
    const result = this.run(
      text,
      (values as unknown[] | undefined) ?? (typeof query === 'string' ? undefined : query.values),
    )
    if (!answer) return result
    result.then((rows) => answer(null, rows), answer)
  }

  private async run(text: string, values: unknown[] | undefined): Promise<Result> {
    const word = /^\s*(\w+)/.exec(text)?.[1].toUpperCase() ?? ''
    if (!this.transaction && (word === 'BEGIN' || word === 'START')) {
      assertSpace(this.folder)
      this.transaction = await OpenTransaction.begin(this.database)
      const more = text.slice(text.indexOf(';') + 1 || text.length)
      if (more.trim()) return execute(this.transaction.session, word, more)
      return { rows: [], rowCount: 0, command: 'BEGIN' }
    }
    const transaction = this.transaction
    if (transaction && (word === 'COMMIT' || (word === 'ROLLBACK' && !/\bTO\b/i.test(text)))) {
      this.transaction = null
      // As a server does: of a transaction in which a statement failed nothing is kept, and its end says so.
      const isKept = word === 'COMMIT' && !transaction.hasFailed
      await (isKept ? transaction.commit() : transaction.rollback())
      return { rows: [], rowCount: 0, command: isKept ? word : 'ROLLBACK' }
    }
    if (!transaction) return execute(this.database, word, text, values)
    return execute(transaction.session, word, text, values).catch((error: unknown) => {
      transaction.hasFailed = true
      throw error
    })
  }

  release(): void {
    const left = this.transaction
    this.transaction = null
    left?.rollback().catch(() => undefined)
  }
}

function assertSpace(folder: string): void {
  const { bavail, bsize } = fs.statfsSync(folder)
  if (bavail * bsize < FREE_BYTES_MIN)
    throw new InputError(
      'DISK_FULL',
      `less than ${FREE_BYTES_MIN >> 20} MB are free where ${folder} is: make room and start again`,
    )
}

/** PGlite runs a transaction as one function; this holds that function open between BEGIN and COMMIT. */
class OpenTransaction {
  hasFailed = false

  private constructor(
    readonly session: Transaction,
    private readonly decide: (commit: boolean) => void,
    private readonly ended: Promise<unknown>,
  ) {}

  static begin(database: PGlite): Promise<OpenTransaction> {
    return new Promise((begun, failed) => {
      let decide!: (commit: boolean) => void
      const decision = new Promise<boolean>((resolve) => (decide = resolve))
      const ended = database.transaction(async (session) => {
        begun(new OpenTransaction(session, decide, ended))
        if (!(await decision)) await session.rollback()
      })
      ended.catch(failed)
    })
  }

  async commit(): Promise<void> {
    this.decide(true)
    await this.ended
  }

  async rollback(): Promise<void> {
    this.decide(false)
    await this.ended.catch(() => undefined)
  }
}

async function execute(
  session: PGlite | Transaction,
  command: string,
  text: string,
  values?: unknown[],
): Promise<Result> {
  if (!values?.length) {
    const last = (await session.exec(text, { parsers: PARSERS })).at(-1)
    return {
      rows: last?.rows ?? [],
      rowCount: last?.affectedRows || (last?.rows.length ?? 0),
      command,
    }
  }
  const bound = values.map((value) => (value === undefined ? null : value))
  const { rows, affectedRows } = await session.query(text, bound, {
    parsers: PARSERS,
    serializers: SERIALIZERS,
  })
  return { rows, rowCount: affectedRows || rows.length, command }
}
