/** Under this role of the database people's requests run: it sees the rows of whoever asks. */
export const PERSON = 'roadmeter_person'
/** Under this one machines work: the line, devices' batches, providers' messages. It sees every row. */
export const MACHINE = 'roadmeter_machine'

/** As whom a transaction runs. Without one it runs as whoever signed in at the database. */
export type Scope =
  | { readonly as: 'machine' }
  | {
      readonly as: 'person'
      readonly side: 'citizen' | 'staff' | 'public'
      readonly agency: string
      readonly account: string
    }

/** What puts a transaction under its scope, which ends with it. */
export function entering(scope: Scope): { readonly sql: string; readonly parameters: readonly string[] } {
  const { side, agency, account } = scope.as === 'machine' ? { side: 'machine', agency: '', account: '' } : scope
  return {
    sql: `select set_config('roadmeter.side', $2, true), set_config('roadmeter.agency', $3, true), set_config('roadmeter.account', $4, true), set_config('role', $1, true)`,
    parameters: [scope.as === 'machine' ? MACHINE : PERSON, side, agency, account],
  }
}
