import {
  InputError,
  micros,
  NO_MONEY,
  parseMicros,
  type AccountId,
  type AgencyId,
  type Instant,
  type Micros,
} from '#kernel'
import { endowedAccounts, lockAccount, pilotStart, ratedVehicles, vehiclesOfAgency, type Store, type Tx } from '#store'
import { type Line } from './line'
import { positionOf, recordSum } from './payments'

const AT_ONCE = 200

/** What was given, or paid out, of how many. */
export interface Endowed {
  readonly vehicles: number
  readonly amount: Micros
  readonly currency: string
}

/**
 * Gives each vehicle of an agency, or of one arm of its pilot, a travel budget: credit of its account, from which bills are paid before
 * anybody has to. What isn't driven away is the participant's own (`payOutBudgets`), so that a mile costs them what it would, and nobody
 * is worse off for taking part (Traffic Choices Study, PSRC 2008, chapter 3). Once for each vehicle and `reference`, whatever was interrupted.
 */
export async function giveBudgets(
  store: Store,
  line: Line,
  { agency, amount, reference, arm }: { agency: AgencyId; amount: Micros; reference: string; arm: string | null },
  progress: (done: number) => void = () => undefined,
): Promise<Endowed> {
  const now = line.clock.now()
  const { currency } = await termsOf(store, agency, line)
  const from = await store.transaction((tx) => pilotStart(tx, agency))
  if (arm !== null && from === null)
    throw new InputError('NO_PILOT', `${agency} has drawn no vehicles into arms: roadmeter agency pilot`)
  let [vehicles, given] = [0, 0n]
  for (let after = ''; ;) {
    const page = await store.transaction((tx) => vehiclesOfAgency(tx, agency, after, AT_ONCE))
    if (page.length === 0) break
    after = page.at(-1)!.vehicle
    await store.transaction(async (tx) => {
      // As drawn when the pilot begins, which may be later.
      const rated = await ratedVehicles(
        tx,
        page.map(({ vehicle }) => ({ vehicle, at: from ?? now })),
      )
      const chosen = page.filter((_, i) => arm === null || rated[i].arm === arm)
      // In the order of the accounts, as everybody locks them.
      for (const { vehicle, account } of chosen.sort((a, b) => (a.account < b.account ? -1 : 1)))
        if (
          await recordSum(
            tx,
            account,
            { amount, currency, reference: `${reference}/${vehicle}` },
            { provider: 'endowment', now },
          )
        ) {
          vehicles++
          given += amount
        }
    })
    progress(vehicles)
  }
  return { vehicles, amount: micros(given), currency }
}

/**
 * Pays out, at the desk, what is left of the budgets of a reference: no more than was given, less what was driven and billed since, in whole
 * coins. Once for each account; who has spent more owes it as any bill.
 */
export async function payOutBudgets(
  store: Store,
  line: Line,
  { agency, reference }: { agency: AgencyId; reference: string },
  progress: (done: number) => void = () => undefined,
): Promise<Endowed & { readonly accounts: number }> {
  const now = line.clock.now()
  const { currency, coin } = await termsOf(store, agency, line)
  let [vehicles, accounts, paid] = [0, 0, 0n]
  for (let after = '' as AccountId; ;) {
    const page = await store.transaction((tx) => endowedAccounts(tx, agency, reference, after, AT_ONCE))
    if (page.length === 0) break
    after = page.at(-1)!.account
    for (const endowment of page) {
      const remainder = await store.transaction((tx) => payOut(tx, endowment, { currency, coin, reference }, now))
      paid += remainder
      vehicles += endowment.vehicles
      if (remainder > 0n) accounts++
    }
    progress(vehicles)
  }
  if (vehicles === 0) throw new InputError('NO_BUDGETS', `no budgets of ${agency} were given as ${reference}`)
  return { vehicles, accounts, amount: micros(paid), currency }
}

async function payOut(
  tx: Tx,
  { account, given }: { readonly account: AccountId; readonly given: Micros },
  { currency, coin, reference }: { readonly currency: string; readonly coin: bigint; readonly reference: string },
  now: Instant,
): Promise<Micros> {
  await lockAccount(tx, account)
  const { credit, available } = await positionOf(tx, account)
  const left = [given, credit, available].reduce((least, one) => (one < least ? one : least))
  const remainder = micros(left - (left % coin))
  if (remainder <= 0n) return NO_MONEY
  const sum = { amount: micros(-remainder), currency, reference: `${reference}/remainder/${account}` }
  return (await recordSum(tx, account, sum, { provider: 'desk', now })) ? remainder : NO_MONEY
}

async function termsOf(store: Store, agency: AgencyId, line: Line): Promise<{ currency: string; coin: bigint }> {
  const { documents } = await store.transaction((tx) => line.reference.tariff(tx, agency))
  if (documents.length === 0) throw new InputError('NO_POLICY', `${agency} has no tariff yet`)
  const { currency, billing } = documents[0]
  return { currency, coin: parseMicros(billing.coin)! }
}
