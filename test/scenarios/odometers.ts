import { type Batch, type MileageAccount, statementSchema, type Statement } from '#contracts'
import { instant, KILOMETRE_MM } from '#kernel'
import { settled } from '../harness'
import { driveAlong, METRES_PER_DEGREE, TARIFF } from './roads'
import { at, openStory, recomputes, type Answer, type Story as Told } from './story'

export { at } from './story'
export const KM = KILOMETRE_MM

/** 10 cents a kilometre anywhere, 8 by the odometer where nobody knows, 12 for those who give no location, 3 euros a day. */
export const BY_THE_KM = {
  ...TARIFF,
  id: 'by-the-km',
  zones: {},
  rules: [{ id: 'base', name: 'All roads', match: {}, price: { perKm: '0.10' } }],
  caps: [],
  mileage: { missing: { perKm: '0.08' }, noLocation: { perKm: '0.12' }, permitPerDay: '3.00' },
}

/** A picture of an odometer, as far as anybody looks at it. */
export const PHOTO = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]),
  Buffer.from('IHDR'),
  Buffer.alloc(17),
  Buffer.from([0, 0, 0, 0]),
  Buffer.from('IEND'),
  Buffer.from([0xae, 0x42, 0x60, 0x82]),
]).toString('base64')

/** The drive with the vehicle's odometer, in metres: read at its first fix and at its last. */
export function withOdometer(batches: readonly Batch[], fromM: number, toM: number): Batch[] {
  return batches.map((batch, i) => {
    const pairs: [number, number][] = []
    if (i === 0) pairs.push([batch.fixes[0][0], fromM])
    if (i === batches.length - 1) pairs.push([batch.fixes.at(-1)![0], toM])
    return pairs.length > 0 ? { ...batch, odometer: pairs } : batch
  })
}

/** The whole main road, in metres. */
export const ROAD_M = 0.1 * METRES_PER_DEGREE

/** A story about a car whose odometer is read: what such stories say again and again. */
export class Story {
  private seq = 0
  private constructor(
    readonly told: Told,
    readonly policy: object,
  ) {}

  static async open(now: string, policy: object = BY_THE_KM): Promise<Story> {
    return new Story(await openStory(now, { policies: [policy] }), policy)
  }

  get world() {
    return this.told.world
  }
  get people() {
    return this.told.people
  }
  get device() {
    return this.told.device
  }

  close(): Promise<void> {
    return this.told.end()
  }

  /** Drives the main road from end to end, beginning then; with what the odometer showed, where it is read. */
  async drive(name: string, startsAt: string, odometerM?: readonly [number, number]): Promise<void> {
    this.world.clock.advanceTo(instant(Math.max(this.world.clock.now(), at(startsAt) + 3_600_000)))
    const batches = driveAlong(name, 7, 7.1, at(startsAt), this.seq)
    this.seq += batches.length
    await this.send(odometerM ? withOdometer(batches, ...odometerM) : batches)
  }

  async send(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) await this.device.send(batch)
    await settled(this.world)
    expect(await this.world.store.read('select reason, detail from location.quarantine')).toEqual([])
  }

  async http(
    path: string,
    { as = 'citizen', body }: { as?: Parameters<Told['as']>[0]; body?: unknown } = {},
  ): Promise<{ status: number; json: Answer['body'] }> {
    const answer = await this.told.as(as, body === undefined ? 'GET' : 'POST', path, body)
    return { status: answer.status, json: answer.body }
  }

  /** The owner reads the odometer and sends a photo of it. */
  photo(moment: string, km: number, vehicle: string = this.people.vehicle) {
    this.until(moment)
    const body = { at: at(moment), mm: Math.round(km * KM), photo: PHOTO }
    return this.http(`/v1/vehicles/${vehicle}/odometer`, { body })
  }

  until(moment: string): void {
    if (at(moment) > this.world.clock.now()) this.world.clock.advanceTo(at(moment))
  }

  /** Closes a month up to its drafts and returns the statement, which adds up by the published policy. */
  async statement(month: string, account: string = this.people.account): Promise<Statement> {
    await this.told.draft(month)
    const [row] = await this.world.store.read<{ document: string }>(
      'select document from money.statement where account = $1 and month = $2',
      [account, month],
    )
    if (!row) throw new Error(`no statement of ${account} for ${month}`)
    const statement = statementSchema.parse(JSON.parse(row.document))
    recomputes(statement, [this.policy])
    for (const line of statement.mileage ?? []) balances(line)
    return statement
  }

  /** What the ledger has ever charged an account for driving, billed or not. */
  async owed(account: string = this.people.account): Promise<bigint> {
    const [row] = await this.world.store.read<{ sum: string | null }>(
      `select sum(p.amount) as sum from money.posting p join money.transfer t on t.id = p.transfer
       where p.account = $1 and t.kind in ('trip', 'cap', 'mileage')`,
      [`accrued:${account}`],
    )
    return BigInt(row.sum ?? 0)
  }
}

/** A bookkeeper's account: what it opened with and what was entered is what it closes with. */
export function balances(account: MileageAccount): void {
  const { openingMm, closingMm, matchedMm, inferredMm, offNetworkMm, unreconciledMm, replacedMm } = account
  if (openingMm === null) expect(closingMm).toBeNull()
  else expect(openingMm + matchedMm + inferredMm + offNetworkMm + unreconciledMm + replacedMm).toBe(closingMm)
}

export const journeyMm = (statement: Statement): number =>
  statement.journeys.flatMap(({ lines }) => lines).reduce((sum, line) => sum + line.distanceMm, 0)
