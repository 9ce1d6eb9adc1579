/** What a statement can be bound to. Arrays go with a cast such as `$1::text[]`. */
export type Parameter = string | number | bigint | boolean | null | Uint8Array | readonly Parameter[]

/** What can be asked of a transaction: all that keys need, which transactions hold and so can't be told of by name. */
export interface Sql {
  rows<Row>(sql: string, parameters?: readonly Parameter[]): Promise<Row[]>
  row<Row>(sql: string, parameters?: readonly Parameter[]): Promise<Row | null>
  run(sql: string, parameters?: readonly Parameter[]): Promise<number>
}
