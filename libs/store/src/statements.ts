import { type Principal } from './registry'
import { PeriodRow, StatementRow } from './rows'
import { type Store } from './store'

export const STATEMENTS_MAX = 200

/** A citizen's are those of the own account, everybody else's all of the agency: of those, totals alone are for showing. */
const ownedBy = (who: Principal) =>
  who.role === 'citizen' ? { agency: who.agency, account: who.account! } : { agency: who.agency }

/** The first STATEMENTS_MAX statements that are somebody's, newest month first. */
export function statementsFor(store: Store, who: Principal, id?: string): Promise<StatementRow[]> {
  return store.dataSource.getRepository(StatementRow).find({
    where: { ...ownedBy(who), ...(id ? { id } : {}) },
    order: { month: 'DESC', account: 'ASC' },
    take: STATEMENTS_MAX,
  })
}

/** How many statements are somebody's, beyond those that are listed too. */
export const countStatements = (store: Store, who: Principal): Promise<number> =>
  store.dataSource.getRepository(StatementRow).countBy(ownedBy(who))

export const periodOf = (store: Store, agency: string, month: string): Promise<PeriodRow | null> =>
  store.dataSource.getRepository(PeriodRow).findOneBy({ agency, month })
