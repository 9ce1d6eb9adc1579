import { Body, Controller, Get, HttpCode, Inject, NotFoundException, Param, Post, Res } from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiResponse, ApiTags } from '@nestjs/swagger'
import { type FastifyReply } from 'fastify'
import {
  handOverSchema,
  mileageAccountSchema,
  methodChoiceSchema,
  monthSchema,
  odometerEntrySchema,
  odometerReplacementSchema,
  parseOrExplain,
  reviewDecisionSchema,
} from '#contracts'
import { InputError, type AccountId, type AgencyId, type TripId, type VehicleId } from '#kernel'
import { type MethodChoice, methodLine } from '#mileage'
import { type Bell, BELL } from '#messaging'
import {
  type Asker,
  chooseMethod,
  decideReview,
  enterReading,
  handOverVehicle,
  LINE,
  type Line,
  mileageOf,
  owned,
  replaceOdometer,
} from '#pipeline'
import {
  type Access as Reading,
  batchesOf,
  choicesOf,
  fatesOf,
  heldForReview,
  heldVehiclesOf,
  logAccesses,
  photoOf,
  type Principal,
  readingsOf,
  replacementsOf,
  signalsOf,
  type SignedIn,
  Store,
  tripById,
  vehicleById,
} from '#store'
import { Access, Fresh, ownAgency, Who } from './access'
import { jsonSchema } from './devices.controller'

/** A citizen's own vehicles: their odometers, how their miles are counted, and what became of each fix. */
@ApiTags('mileage')
@ApiBearerAuth()
@Access(['citizen'])
@Controller('v1')
export class MileageController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
  ) {}

  /** The account's vehicles, those that were handed on too, each with the method of now and those chosen for later. */
  @Get('vehicles')
  async vehicles(@Who() who: Principal) {
    const now = this.line.clock.now()
    return this.store.transaction(async (tx) => {
      const vehicles = []
      for (const { vehicle, name, fromAt, untilAt } of await heldVehiclesOf(tx, who.account!))
        vehicles.push({ vehicle, name, fromAt, untilAt, ...methodsOf(methodLine(await choicesOf(tx, vehicle)), now) })
      return vehicles
    })
  }

  /** Every reading of a vehicle's odometer, by whomever, and every replacement. */
  @Get('vehicles/:vehicle/odometer')
  async readings(@Who() who: Principal, @Param('vehicle') vehicle: VehicleId) {
    return this.store.transaction(async (tx) => {
      owned(await vehicleById(tx, vehicle), citizen(who), vehicle)
      return { readings: await readingsOf(tx, vehicle), replacements: await replacementsOf(tx, vehicle) }
    })
  }

  /** Enters what the odometer shows, with a photo of it. */
  @Post('vehicles/:vehicle/odometer')
  @ApiBody({ schema: jsonSchema(odometerEntrySchema) })
  async enter(@Who() who: Principal, @Param('vehicle') vehicle: VehicleId, @Body() body: unknown) {
    const { at, mm, photo } = parseOrExplain(odometerEntrySchema, body, 'the reading')
    return enterReading(this.store, this.line, citizen(who), vehicle, { at, mm, photo: bytesOf(photo) })
  }

  /** The photo of a reading, as it was sent. */
  @Get('vehicles/:vehicle/odometer/photos/:photo')
  async photo(
    @Who() who: Principal,
    @Param('vehicle') vehicle: VehicleId,
    @Param('photo') photo: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const found = await this.store.transaction(async (tx) => {
      owned(await vehicleById(tx, vehicle), citizen(who), vehicle)
      return photoOf(tx, vehicle, photo)
    })
    if (!found) throw new NotFoundException('there is no such photo')
    reply.type(found.type).header('content-disposition', `attachment; filename="odometer-${photo.slice(0, 8)}"`)
    return Buffer.from(found.bytes)
  }

  /** Says that the vehicle has a new odometer. */
  @Post('vehicles/:vehicle/odometer/replacements')
  @ApiBody({ schema: jsonSchema(odometerReplacementSchema) })
  async replace(@Who() who: Principal, @Param('vehicle') vehicle: VehicleId, @Body() body: unknown) {
    const { photo, ...entry } = parseOrExplain(odometerReplacementSchema, body, 'the replacement')
    return replaceOdometer(this.store, this.line, citizen(who), vehicle, { ...entry, photo: bytesOf(photo) })
  }

  /** Chooses how the vehicle's miles are counted, from now or from a moment on. */
  @Post('vehicles/:vehicle/method')
  @ApiBody({ schema: jsonSchema(methodChoiceSchema) })
  async choose(@Who() who: Principal, @Param('vehicle') vehicle: VehicleId, @Body() body: unknown) {
    const choice = parseOrExplain(methodChoiceSchema, body, 'the choice')
    return chooseMethod(this.store, this.line, citizen(who), vehicle, choice)
  }

  /** The mileage account of a month, or of the month so far: opening and closing odometer and what lies between them. */
  @Get('vehicles/:vehicle/mileage/:month')
  @ApiResponse({ status: 200, schema: jsonSchema(mileageAccountSchema) })
  async mileage(@Who() who: Principal, @Param('vehicle') vehicle: VehicleId, @Param('month') given: string) {
    const month = parseOrExplain(monthSchema, given, 'the month')
    return plain(await mileageOf(this.store, this.line, citizen(who), vehicle, month))
  }

  /** What became of each fix of a trip, and why: [epoch ms, latitude, longitude, fate]. */
  @Get('trips/:trip/fixes')
  async fixes(@Who() who: Principal, @Param('trip') trip: TripId) {
    return this.store.transaction(async (tx) => {
      const row = await tripById(tx, trip)
      const runs = row?.account === who.account ? await fatesOf(tx, trip) : null
      if (row?.account === who.account && !runs && row.network)
        throw new InputError('FIXES_GONE', `the fixes of trip ${trip} were destroyed when their time was over`)
      if (!row || !runs) throw new NotFoundException('there is no such trip, or it was not matched yet')
      const fates = runs.flatMap(([fate, count]) => Array.from({ length: count }, () => fate))
      const fixes = (await batchesOf(tx, row)).flatMap((batch) => batch.fixes)
      if (fixes.length < fates.length)
        throw new InputError('FIXES_GONE', `the fixes of trip ${trip} were destroyed when their time was over`)
      return {
        trip,
        state: row.state,
        counts: Object.fromEntries(
          [...new Set(fates)].map((fate) => [fate, fates.filter((one) => one === fate).length]),
        ),
        fixes: fixes.map(([at, lat, lon], i) => [at, lat, lon, fates[i]]),
      }
    })
  }
}

/** What an agency does about mileage: it inspects odometers and looks at trips whose distances don't agree. It sees no place. */
@ApiTags('agencies')
@ApiBearerAuth()
@Access(['agency', 'operator'])
@Controller('v1/agencies/:agency')
export class MileageReviewController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
    @Inject(BELL) private readonly bell: Bell,
  ) {}

  /** Trips that are held: nothing is charged for them until somebody decides. Distances and months, no places. */
  @Get('reviews')
  @Access(['agency', 'auditor', 'operator'])
  async reviews(@Who() who: SignedIn, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    return this.store.transaction(async (tx) => {
      const held = await heldForReview(tx, agency)
      const told = held.map(({ trip, vehicle }) => ({ vehicle, subject: trip }))
      await logAccesses(tx, this.reading(who, 'held-trip', 'the list of held trips'), told)
      return held
    })
  }

  /** Releases a held trip, to be charged as it was metered, or voids it: its miles count and cost nothing. */
  @Post('reviews/:trip')
  @HttpCode(200)
  @Fresh()
  @ApiBody({ schema: jsonSchema(reviewDecisionSchema) })
  async decide(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('trip') trip: TripId,
    @Body() body: unknown,
  ) {
    ownAgency(who, agency)
    const decision = parseOrExplain(reviewDecisionSchema, body, 'the decision')
    await this.bell.ring(await decideReview(this.store, this.line, authority(who), trip, decision))
    return { trip, ...decision }
  }

  /** Signs of tampering by vehicle and month: counts, no places and no times. */
  @Get('signals')
  @Access(['agency', 'auditor', 'operator'])
  async signals(@Who() who: SignedIn, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    return this.store.transaction(async (tx) => {
      const signals = await signalsOf(tx, agency)
      const told = signals.map(({ vehicle, month }) => ({ vehicle, subject: `${vehicle}/${month}` }))
      await logAccesses(tx, this.reading(who, 'signals', 'the list of signs of tampering'), told)
      return signals
    })
  }

  /** What an inspector read off a vehicle's odometer: it settles what photos and devices say otherwise. */
  @Post('vehicles/:vehicle/inspections')
  @ApiBody({ schema: jsonSchema(odometerEntrySchema) })
  async inspect(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('vehicle') vehicle: VehicleId,
    @Body() body: unknown,
  ) {
    ownAgency(who, agency)
    const { at, mm, photo } = parseOrExplain(odometerEntrySchema, body, 'the inspection')
    return enterReading(this.store, this.line, authority(who), vehicle, { at, mm, photo: bytesOf(photo) })
  }

  /** A vehicle is sold: from a moment on it is a vehicle of another account of the agency, with its devices and nothing of its past. */
  @Post('vehicles/:vehicle/hand-over')
  @ApiBody({ schema: jsonSchema(handOverSchema) })
  async handOver(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('vehicle') vehicle: VehicleId,
    @Body() body: unknown,
  ) {
    ownAgency(who, agency)
    const {
      at = this.line.clock.now(),
      mm,
      photo,
      name,
      ...given
    } = parseOrExplain(handOverSchema, body, 'the hand-over')
    const to = { vehicle: given.vehicle as VehicleId, account: given.account as AccountId, name }
    await handOverVehicle(this.store, this.line, authority(who), vehicle, to, { at, mm, photo: bytesOf(photo) })
    return { ...to, at, mm }
  }

  /** The mileage account of a vehicle: totals, as they are billed. */
  @Get('vehicles/:vehicle/mileage/:month')
  async mileage(
    @Who() who: SignedIn,
    @Param('agency') agency: AgencyId,
    @Param('vehicle') vehicle: VehicleId,
    @Param('month') given: string,
  ) {
    ownAgency(who, agency)
    const month = parseOrExplain(monthSchema, given, 'the month')
    const account = plain(await mileageOf(this.store, this.line, authority(who), vehicle, month))
    const told = [{ vehicle, subject: `${vehicle}/${month}` }]
    await this.store.transaction((tx) => logAccesses(tx, this.reading(who, 'mileage', 'the mileage account'), told))
    return account
  }

  /** What the citizens whose data it is will read of it. */
  private reading(who: SignedIn, what: Reading['what'], why: string): Omit<Reading, 'account' | 'subject'> {
    return { at: this.line.clock.now(), who: who.by, role: who.role, what, why }
  }
}

const citizen = (who: Principal): Asker => ({ account: who.account!, by: `citizen ${who.account}` })
const authority = (who: Principal) => ({ agency: who.agency, by: `${who.role} of ${who.agency}` })
const bytesOf = (base64: string | undefined) => (base64 === undefined ? undefined : Buffer.from(base64, 'base64'))

/** Money as decimal strings of whole micros. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member)))

const methodsOf = (line: readonly MethodChoice[], now: number) => ({
  method: line.findLast(({ from }) => from <= now)?.method ?? 'location',
  chosen: line.filter(({ from }) => from > now),
})
