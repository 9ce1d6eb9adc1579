/** Under this role of the database people's requests run: it sees the rows of whoever asks. */
export const PERSON = 'roadmeter_person'
/** Under this one citizens' requests run: as people's, and it alone of theirs may touch the tables that say where somebody was. */
export const CITIZEN = 'roadmeter_citizen'
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

/** Ids as they are everywhere: nothing in them could end a literal. */
const PLAIN = /^[\w.:-]*$/

/**
 * What puts a transaction under its scope, which ends with it. Without parameters where all of it may be written down as it is: then it
 * goes in one message with what begins the transaction, and costs no way to the server and back.
 */
export function entering(scope: Scope): { readonly sql: string; readonly parameters: readonly string[] } {
  const { side, agency, account } = scope.as === 'machine' ? { side: 'machine', agency: '', account: '' } : scope
  const given = [scope.as === 'machine' ? MACHINE : side === 'citizen' ? CITIZEN : PERSON, side, agency, account]
  const isPlain = given.every((value) => PLAIN.test(value))
  const [as, ...settings] = given.map((value, i) => (isPlain ? `'${value}'` : `$${i + 1}`))
  const set = ['side', 'agency', 'account'].map((name, i) => `set_config('roadmeter.${name}', ${settings[i]}, true)`)
  return { sql: `select ${set.join(', ')}, set_config('role', ${as}, true)`, parameters: isPlain ? [] : given }
}
