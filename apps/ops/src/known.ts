import { InputError, type AccountId, type AgencyId } from '#kernel'
import { AccountRow, agencyById, type Store, type Tx } from '#store'

/** InputError where there is no such agency. */
export async function knownAgency(tx: Tx, agency: AgencyId): Promise<{ id: AgencyId; name: string }> {
  const row = await agencyById(tx, agency)
  if (!row) throw new InputError('NO_AGENCY', `there is no agency ${agency}: roadmeter agency add ${agency} --name ...`)
  return row
}

/** InputError where there is no such account. */
export async function knownAccount(store: Store, account: AccountId): Promise<AccountRow> {
  const row = await store.dataSource.getRepository(AccountRow).findOneBy({ id: account })
  if (!row) throw new InputError('NO_ACCOUNT', `there is no account ${account}: roadmeter account add ${account} ...`)
  return row
}
