import { statementSchema, type Charge, type Correction } from '#contracts'
import { canonical, InputError, invariant, micros } from '#kernel'
import { capTransfer, reversalOf, tripTransfer, type Occasion } from '#ledger'
import { accrue, correctedCharges, correctedVehicle, earningsOf, undone, netOf, windowsOf } from '#rating'
import {
  chargesOf,
  correctionsOf,
  lockAccount,
  ratedVehicles,
  record,
  reportOf,
  saveCorrection,
  saveWindows,
  statementDocument,
  tripById,
  windowsBefore,
  type DisputeRow,
  type Entry,
  type Tx,
} from '#store'
import { type Line } from './line'

/**
 * Prices what a dispute is about by the facts of a correction, and books the difference: what the trip had cost is reversed, what it
 * costs now is posted, and its caps and the like are counted anew. The next statement says so. Throws InputError CORRECTED where the
 * line was corrected before, and as `correctedCharges` does.
 */
export async function correct(tx: Tx, dispute: DisputeRow, correction: Correction, line: Line): Promise<void> {
  const at = line.clock.now()
  const trip = await tripById(tx, dispute.trip)
  invariant(trip, `dispute ${dispute.id} is about no trip`)
  // Two of its lines may be decided at once: whoever comes second corrects what the first has made of it.
  await lockAccount(tx, trip.account)
  const earlier = await correctionsOf(tx, trip.id)
  const revision = earlier.length + 1
  const was = earlier.at(-1)?.now ?? (await chargesOf(tx, [trip.id])).get(trip.id)!
  const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: trip.startedAt! }])
  const tariff = await line.reference.tariff(tx, trip.agency)
  const now = correctedCharges(was, await questionedOf(tx, dispute, was), correction, {
    report: await reportOf(tx, trip.id),
    vehicle,
    policyAt: (moment) => tariff.compiledAt(moment),
  })

  const policies = new Map(tariff.documents.map((policy) => [policy.id, policy]))
  const priced = (charges: readonly Charge[]) => charges.filter(({ amount }) => amount !== 0n)
  const currency = policies.get(priced([...was, ...now])[0]?.policy ?? '')?.currency ?? tariff.documents[0].currency
  const occasion: Occasion = { agency: trip.agency, currency, payer: trip.account, happenedAt: trip.endedAt! }
  const costs = (charges: readonly Charge[], of: number) =>
    tripTransfer(
      occasion,
      { trip: trip.id, revision: of },
      priced(charges).flatMap((charge) => earningsOf(charge, policies.get(charge.policy)!)),
    )
  const accrued = { trip: trip.id, vehicle, startedAt: trip.startedAt! }
  const before = undone({ ...accrued, charges: was })
  const after = { ...accrued, vehicle: correctedVehicle(vehicle, correction), charges: now }
  const windows = await windowsBefore(tx, windowsOf([before, after], tariff.documents))
  const changes = netOf([before, after].flatMap((one) => accrue(one, tariff.documents, windows)))
  await saveWindows(tx, windows)

  const transfers = [
    ...(priced(was).length > 0 ? [reversalOf(costs(was, revision - 1), `dispute ${dispute.id}`, at)] : []),
    ...(priced(now).length > 0 ? [costs(now, revision)] : []),
    ...changes.map(({ window, ...earning }) => capTransfer(occasion, { ...window, trip: trip.id, revision }, earning)),
  ]
  await record(
    tx,
    transfers.map((transfer): Entry => ({ transfer, month: trip.month! })),
    at,
  )
  const sum = (charges: readonly { amount: bigint }[]) => charges.reduce((total, { amount }) => total + amount, 0n)
  const amount = micros(sum(now) - sum(was))
  await saveCorrection(tx, {
    dispute: dispute.id,
    agency: trip.agency,
    account: trip.account,
    trip: trip.id,
    revision,
    because: `dispute about ${dispute.reason}: ${correction.kind}`,
    vehicleClass: correction.kind === 'vehicle' ? correction.vehicleClass : null,
    was,
    now,
    amount,
    givenBack: micros(-(amount + sum(changes))),
    madeAt: at,
  })
}

/** Of a trip's charges those that are questioned: all, or the one that the statement's line says. */
async function questionedOf(tx: Tx, dispute: DisputeRow, charges: readonly Charge[]): Promise<Set<Charge>> {
  if (dispute.line === null) return new Set(charges)
  const statement = statementSchema.parse(JSON.parse(await statementDocument(tx, dispute.statement)))
  const { lines } = statement.journeys.find(({ trip }) => trip === dispute.trip)!
  const said = { ...lines[dispute.line], ruleName: undefined }
  const charge = charges.find(({ trip: _trip, fixes: _fixes, ...own }) => canonical(own) === canonical(said))
  if (!charge) throw new InputError('CORRECTED', 'this line was corrected already')
  return new Set([charge])
}
