import { type Principal } from './registry'
import { PeriodRow, StatementRow } from './rows'
import { type Store } from './store'

const STATEMENTS_MAX = 200

/** The statements that somebody may see, newest month first: a citizen those of the own account, an agency all of its own. */
export function statementsFor(store: Store, who: Principal, id?: string): Promise<StatementRow[]> {
  const owner = who.role === 'citizen' ? { account: who.account! } : { agency: who.agency }
  return store.dataSource.getRepository(StatementRow).find({
    where: { ...owner, ...(id ? { id } : {}) },
    order: { month: 'DESC', account: 'ASC' },
    take: STATEMENTS_MAX,
  })
}

export const periodOf = (store: Store, agency: string, month: string): Promise<PeriodRow | null> =>
  store.dataSource.getRepository(PeriodRow).findOneBy({ agency, month })
