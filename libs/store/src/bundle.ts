import { type Connection, Query, type Submittable } from 'pg'

export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[]
  /** A connection plans a statement with a name once, and keeps the plan. */
  readonly name?: string
}

/** What the server, or the embedded database, answers to one. */
export interface Result {
  readonly rows: unknown[]
  readonly rowCount: number | null
  readonly command: string
}

/** A statement that somebody waits for. */
export interface Question extends Statement {
  readonly resolve: (result: Result) => void
  readonly reject: (error: Error) => void
}

/** What pg's client calls on whatever it has submitted, and what its own Query does with it (pg 8.23; pg-cursor builds on the same). */
interface Answered extends Query {
  readonly name?: string
  readonly text: string
  prepare(connection: Connection): void
  handleRowDescription(message: unknown): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Connection): void
  handleReadyForQuery(connection: Connection): void
}
/** Statements that a connection was told to prepare and hasn't said yet that it did. */
type Preparing = Connection & { readonly submittedNamedStatements: Record<string, string> }

/**
 * Statements that go to the server in one message and are answered in one: all of them under one Sync of the extended protocol. Without
 * a transaction around them they are one by themselves (PostgreSQL, 55.2.4 Pipelining), and where one fails those behind it aren't looked at.
 */
export class Bundle implements Submittable {
  private readonly queries: Answered[]
  private answered = 0

  /** `callback` is called when all are answered, or one was refused; pg takes its timer away in it. */
  constructor(
    private readonly questions: readonly Question[],
    public callback: () => void,
  ) {
    this.queries = questions.map(
      ({ text, values, name, resolve, reject }) =>
        new Query({ text, name, values: values as unknown[] }, (error, result) =>
          error ? reject(error) : resolve(result),
        ) as Answered,
    )
  }

  /** Under these pg remembers what the server says it has prepared: it says so in the order of the statements. */
  get name(): string | undefined {
    return this.queries[this.answered]?.name
  }
  get text(): string {
    return this.queries[this.answered].text
  }

  submit = (connection: Connection): void => {
    // Each Query ends by a Sync of its own; here there is one for all.
    const withoutSync = Object.create(connection, { sync: { value: () => undefined } }) as Connection
    connection.stream.cork()
    try {
      for (const query of this.queries) query.prepare(withoutSync)
      connection.sync()
    } finally {
      connection.stream.uncork()
    }
  }

  handleRowDescription(message: unknown): void {
    this.queries[this.answered].handleRowDescription(message)
  }

  handleDataRow(message: unknown): void {
    this.queries[this.answered].handleDataRow(message)
  }

  handleCommandComplete(message: unknown, connection: Connection): void {
    this.queries[this.answered++].handleCommandComplete(message, connection)
  }

  handleEmptyQuery(): void {
    this.answered++
  }

  handleReadyForQuery(connection: Connection): void {
    this.callback()
    for (const query of this.queries) query.handleReadyForQuery(connection)
  }

  handleError(error: Error, connection: Connection): void {
    this.callback()
    // The server threw away what came behind, so it knows nothing of those names.
    for (const { name } of this.queries.slice(this.answered))
      if (name) delete (connection as Preparing).submittedNamedStatements[name]
    for (const { reject } of this.questions) reject(error)
  }
}
