import { type EventEmitter } from 'node:events'
import { type Client } from 'pg'
import { type DataSource } from 'typeorm'
import { invariant } from '#kernel'
import { Bundle, type Question, type Result, type Statement } from './bundle'
import { EmbeddedClient } from './embedded'

type Release = (broken?: Error) => void
/** What TypeORM's driver keeps: connections to a server, or to the embedded database. */
interface Pool {
  obtainMasterConnection(): Promise<[Connected, Release]>
}
/** A connection, whosever it is. */
interface Connected extends EventEmitter {
  query(text: string): Promise<Result>
}

const BEGIN: Statement = { name: 'roadmeter_begin', text: 'start transaction' }

/**
 * The way of one piece of work to the database. What is asked in one turn of the program goes out in one message, and what is asked first
 * takes along what begins the transaction and puts it under its scope: a way to the server and back costs more than a small query.
 */
export class Wire {
  private asked: Question[] = []
  private sending: Promise<void> = Promise.resolve()
  private client: Connected | null = null
  private release: Release | null = null
  private broken: Error | undefined
  private isBegun = false

  /** `entering` puts a transaction under its scope. For who only reads each message is a transaction: nothing is left to commit. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly entering: readonly Statement[],
    private readonly isReading: boolean,
  ) {}

  ask(statement: Statement): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.asked.push({ ...statement, resolve, reject }) === 1) this.sending = this.sending.then(() => this.send())
    })
  }

  async commit(): Promise<void> {
    await this.sending
    if (!this.isBegun) return
    const { command } = await this.client!.query('COMMIT')
    this.isBegun = false
    invariant(command === 'COMMIT', 'a statement of this transaction had failed, so nothing of it was kept')
  }

  async rollback(): Promise<void> {
    await this.sending
    if (!this.isBegun) return
    this.isBegun = false
    // A connection that can't even be rolled back is nobody else's any more.
    await this.client!.query('ROLLBACK').catch(this.onBroken)
  }

  /** Gives the connection back. */
  close(): void {
    this.client?.off('error', this.onBroken)
    this.release?.(this.broken)
    this.client = this.release = null
  }

  private readonly onBroken = (error: Error): void => void (this.broken = error)

  /** Never rejects: whoever asked is told. */
  private async send(): Promise<void> {
    let asked: Question[] = []
    try {
      this.client ??= await this.connect()
      asked = this.asked.splice(0)
      for (const part of inMessages(asked)) await this.together(this.client, part)
    } catch (error) {
      for (const { reject } of [...asked, ...this.asked.splice(0)]) reject(error as Error)
    } finally {
      // Nothing ties what is read next to this connection, and others wait for one.
      if (this.isReading) this.close()
    }
  }

  private async connect(): Promise<Connected> {
    const pool = this.dataSource.driver as unknown as Pool
    const [client, release] = await pool.obtainMasterConnection()
    client.on('error', this.onBroken)
    this.release = release
    return client
  }

  /** Resolves when all are answered, be it by a refusal. */
  private async together(client: Connected, asked: readonly Question[]): Promise<void> {
    invariant(!this.isReading || !isSeveral(asked[0]), 'several commands in one text are for a transaction')
    const before = this.isReading ? this.entering : this.isBegun ? [] : [BEGIN, ...this.entering]
    this.isBegun = !this.isReading
    if (client instanceof EmbeddedClient) return together(client, before, asked, this.isReading)
    if (!isSeveral(asked[0]))
      return new Promise((resolve) => (client as Client).query(new Bundle([...before.map(nobodys), ...asked], resolve)))
    // The extended protocol takes one command at a time; the simple one stops at the first that fails, too.
    const commands = [...before.map(written), asked[0].text].join('; ')
    await client.query(commands).then((results) => asked[0].resolve([results].flat().at(-1)!), asked[0].reject)
  }
}

/** The same with the embedded database, which has no messages to save. */
async function together(
  client: EmbeddedClient,
  before: readonly Statement[],
  asked: readonly Question[],
  isWhole: boolean,
): Promise<void> {
  const begin = isWhole ? [BEGIN, ...before] : before
  if (begin.length > 0) await client.query(begin.map(written).join('; '))
  for (const { text, values, resolve, reject } of asked) await client.query(text, values).then(resolve, reject)
  if (isWhole) await client.query('COMMIT')
}

const isSeveral = ({ text, values = [] }: Statement): boolean => values.length === 0 && /;\s*\S/.test(text)

/** Questions in the order that they were asked in, as many as go in one message. */
function inMessages(asked: readonly Question[]): Question[][] {
  const parts: Question[][] = []
  let last: Question[] | null = null
  for (const question of asked)
    if (last && !isSeveral(question)) last.push(question)
    else {
      parts.push((last = [question]))
      if (isSeveral(question)) last = null
    }
  return parts
}

const nobodys = (statement: Statement): Question => ({
  ...statement,
  resolve: () => undefined,
  reject: () => undefined,
})

/** A statement with its texts in it, for who takes no parameters. */
const written = ({ text, values = [] }: Statement): string =>
  text.replace(/\$(\d)/g, (_, place: string) => `'${String(values[Number(place) - 1]).replaceAll("'", "''")}'`)
