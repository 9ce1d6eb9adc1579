import { InputError, type AgencyId } from '#kernel'
import { agencyById, type Tx } from '#store'

/** InputError where there is no such agency. */
export async function knownAgency(tx: Tx, agency: AgencyId): Promise<{ id: AgencyId; name: string }> {
  const row = await agencyById(tx, agency)
  if (!row) throw new InputError('NO_AGENCY', `there is no agency ${agency}: roadmeter agency add ${agency} --name ...`)
  return row
}
