import { randomBytes } from 'node:crypto'
import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  type MessageEvent,
  Param,
  Post,
  Put,
  Query,
  Sse,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { concatMap, distinctUntilChanged, finalize, from, map, merge, type Observable, timer } from 'rxjs'
import {
  budgetSchema,
  type LiveNews,
  monthSchema,
  type OwnDevice,
  type Overview,
  parseOrExplain,
  type Quote,
  quoteSchema,
  type TripSummary,
  type TripView,
} from '#contracts'
import { type AccountId, deriveId, type DeviceId, InputError, instant, type TripId, type VehicleId } from '#kernel'
import { LINE, type Line, owned, quoteTrip, roadsOfMonth, RunningTrips, viewTrip } from '#pipeline'
import { localClock } from '#policy'
import { outlook } from '#statement'
import {
  budgetOf,
  devicesOfAccount,
  drivenDays,
  type Principal,
  saveBudget,
  saveVoucher,
  Store,
  tripSummaries,
  vehicleById,
} from '#store'
import { Access, Who } from './access'
import { jsonSchema } from './devices.controller'

const HOUR_MS = 3_600_000
/** How often a trip under way is looked at for whoever watches it, and how often an unchanged line is kept open. */
const LOOK_MS = 2_000
const BEAT_MS = 20_000
/** Watching windows of one account, and of all. */
const WATCHERS_MAX = { account: 6, all: 2_000 }

/** What citizens see of their own: where they drove is for them alone. */
@ApiTags('citizens')
@ApiBearerAuth()
@Access(['citizen'])
@Controller('v1')
export class CitizensController {
  private readonly watchers = new Map<AccountId, number>()
  private readonly running: RunningTrips

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
  ) {
    this.running = new RunningTrips(line)
  }

  /** The month so far, day by day, against a usual month, with a projection and the budget. */
  @Get('overview')
  @Header('cache-control', 'no-store')
  async overview(@Who() who: Principal): Promise<Overview> {
    const account = who.account!
    const now = this.line.clock.now()
    return this.store.reading(async (tx) => {
      // Half a year: what is usual is of the last three months that anything was driven in.
      const [{ documents }, days, budget] = await Promise.all([
        this.line.reference.tariff(tx, who.agency),
        drivenDays(tx, account, localClock('UTC').month(instant(now - 184 * 24 * HOUR_MS))),
        budgetOf(tx, account),
      ])
      return outlook(days, localClock(documents[0]?.timeZone ?? 'UTC').day(now), budget)
    })
  }

  /** What a month may cost before its citizen is told. */
  @Put('budget')
  @ApiBody({ schema: jsonSchema(budgetSchema) })
  async budget(@Who() who: Principal, @Body() body: unknown) {
    const budget = parseOrExplain(budgetSchema, body, 'the budget')
    await this.store.transaction((tx) => saveBudget(tx, who.account!, budget))
    return budget
  }

  @Delete('budget')
  @HttpCode(204)
  async noBudget(@Who() who: Principal): Promise<void> {
    await this.store.transaction((tx) => saveBudget(tx, who.account!, null))
  }

  /** The trips that were driven in a month, newest first, at most 2,000. */
  @Get('trips')
  async trips(@Who() who: Principal, @Query('month') given: unknown): Promise<TripSummary[]> {
    const month = parseOrExplain(monthSchema, given, 'the month')
    return this.store.reading((tx) => tripSummaries(tx, who.account!, { month }))
  }

  /** The roads of a month, dearest first: how often, how far, for how much, and where. */
  @Get('roads')
  @Header('cache-control', 'no-store')
  async roads(@Who() who: Principal, @Query('month') given: unknown) {
    const month = parseOrExplain(monthSchema, given, 'the month')
    return this.store.reading((tx) => roadsOfMonth(tx, who.account!, month, this.line))
  }

  /** A trip with its way, its price stretch by stretch, and why. */
  @Get('trips/:trip')
  @Header('cache-control', 'no-store')
  async trip(@Who() who: Principal, @Param('trip') trip: TripId): Promise<TripView> {
    return this.store.reading((tx) => viewTrip(tx, who.account!, trip, this.line))
  }

  /** What a drive would cost, before driving it: nothing of it is kept. */
  @Post('quote')
  @HttpCode(200)
  @ApiBody({ schema: jsonSchema(quoteSchema) })
  async quote(@Who() who: Principal, @Body() body: unknown): Promise<Quote> {
    const asked = parseOrExplain(quoteSchema, body, 'the planned trip')
    return this.store.reading((tx) => quoteTrip(tx, who.agency, asked, this.line))
  }

  /** The devices in one's vehicles. */
  @Get('me/devices')
  async devices(@Who() who: Principal): Promise<OwnDevice[]> {
    return this.store.reading((tx) => devicesOfAccount(tx, who.account!))
  }

  /** A voucher with which a telephone becomes a device of a vehicle: good for an hour, for the first key that comes with it. */
  @Post('vehicles/:vehicle/vouchers')
  @Header('cache-control', 'no-store')
  async voucher(@Who() who: Principal, @Param('vehicle') vehicle: VehicleId) {
    const now = this.line.clock.now()
    const voucher = randomBytes(32).toString('base64url')
    const device = deriveId<DeviceId>('phone', vehicle, voucher).slice(0, 24) as DeviceId
    const until = instant(now + HOUR_MS)
    await this.store.transaction(async (tx) => {
      owned(await vehicleById(tx, vehicle), { account: who.account!, by: `citizen ${who.account}` }, vehicle)
      const phones = (await devicesOfAccount(tx, who.account!)).filter((one) => one.vehicle === vehicle)
      if (phones.length >= DEVICES_PER_VEHICLE_MAX)
        throw new InputError('DEVICES', `a vehicle has at most ${DEVICES_PER_VEHICLE_MAX} devices`)
      await saveVoucher(tx, { id: device, vehicle }, voucher, until)
    })
    return { voucher, device, until }
  }

  /** Trips under way and what they came to so far, as server-sent events: provisional, until they have ended. */
  @Sse('live')
  live(@Who() who: Principal): Observable<MessageEvent> {
    const account = who.account!
    const watching = this.watchers.get(account) ?? 0
    const all = [...this.watchers.values()].reduce((sum, n) => sum + n, 0)
    if (watching >= WATCHERS_MAX.account || all >= WATCHERS_MAX.all)
      throw new InputError('BUSY', 'too many windows are watching: close one of them')
    this.watchers.set(account, watching + 1)
    const look = this.store.bound(() => this.store.reading((tx) => this.running.of(tx, account)))
    const looked = timer(0, LOOK_MS).pipe(
      concatMap(() => from(look())),
      map((running) => JSON.stringify(running)),
      distinctUntilChanged(),
      map((running) => ({ data: { at: this.line.clock.now(), running: JSON.parse(running) } satisfies LiveNews })),
    )
    // A named event is no news to whoever listens for messages, and keeps proxies from closing the line.
    const beats = timer(BEAT_MS, BEAT_MS).pipe(map(() => ({ type: 'beat', data: '' })))
    return merge(looked, beats).pipe(
      finalize(() => {
        const left = (this.watchers.get(account) ?? 1) - 1
        if (left > 0) this.watchers.set(account, left)
        else {
          this.watchers.delete(account)
          this.running.forget(account)
        }
      }),
    )
  }
}

const DEVICES_PER_VEHICLE_MAX = 10
