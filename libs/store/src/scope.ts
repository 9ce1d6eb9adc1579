import { type Statement } from './bundle'

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

/** Whoever only looks changes nothing, whatever it asks. */
const READS = `set_config('transaction_read_only', 'on', true)`
const AS = `set_config('roadmeter.side', $1, true), set_config('roadmeter.agency', $2, true), set_config('roadmeter.account', $3, true), set_config('role', $4, true)`

/** What puts a transaction under its scope, which ends with it. */
export function entering(scope: Scope | null, isReading: boolean): Statement[] {
  if (!scope) return isReading ? [{ name: 'roadmeter_reads', text: `select ${READS}` }] : []
  const { side, agency, account } = scope.as === 'machine' ? { side: 'machine', agency: '', account: '' } : scope
  const role = scope.as === 'machine' ? MACHINE : side === 'citizen' ? CITIZEN : PERSON
  return [
    {
      name: isReading ? 'roadmeter_reads_as' : 'roadmeter_works_as',
      text: `select ${isReading ? `${READS}, ` : ''}${AS}`,
      values: [side, agency, account, role],
    },
  ]
}
