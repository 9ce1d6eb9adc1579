import { Readable } from 'node:stream'
import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  Put,
  StreamableFile,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { breakGlassSchema, keepingSchema, parseOrExplain } from '#contracts'
import { type AgencyId, type TripId } from '#kernel'
import { BELL, type Bell } from '#messaging'
import {
  agreeToLook,
  askToLook,
  LINE,
  lineOf,
  lookAtTrip,
  OWN_FORMS,
  ownData,
  type Acting,
  type Line,
  type OwnForm,
} from '#pipeline'
import {
  accessesOf,
  askErasure,
  breakGlassById,
  breakGlassOf,
  chooseKeeping,
  destroyWork,
  destructionsOf,
  erasuresOf,
  holdingOf,
  keptTrips,
  legalHolds,
  Store,
  want,
  type Principal,
  type SignedIn,
} from '#store'
import { Access, Fresh, ownAgency, Who } from './access'
import { jsonSchema } from './devices.controller'
import { AsMachine } from './scope'

const MEDIA: Readonly<Record<OwnForm, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  geojson: 'application/geo+json; charset=utf-8',
  gpx: 'application/gpx+xml; charset=utf-8',
}

/** What is held about a citizen: who read it, how long it is kept, all of it to take away, and its erasure. */
@ApiTags('privacy')
@ApiBearerAuth()
@Access(['citizen'])
@Controller('v1/me')
export class PrivacyController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
    @Inject(BELL) private readonly bell: Bell,
  ) {}

  /** Who has read what of yours, when and why, newest first; kept for two years. */
  @Get('access-log')
  @Header('cache-control', 'no-store')
  async accesses(@Who() who: Principal) {
    const rows = await this.store.reading((tx) => accessesOf(tx, who.account!))
    return rows.map(({ at, who: reader, role, what, subject, why }) => ({ at, who: reader, role, what, subject, why }))
  }

  /** How long what is kept, what holds it, what was destroyed (each with its entry in the ledger's chain), and erasures. */
  @Get('privacy')
  @Header('cache-control', 'no-store')
  async privacy(@Who() who: Principal) {
    const account = who.account!
    const { keepFixesHours, keepStretchesDays, keepUnpaidDays } = this.line.settings
    return this.store.transaction(async (tx) => {
      const holding = (await holdingOf(tx, account))!
      return {
        keeps: { fixesHours: keepFixesHours, stretchesDays: keepStretchesDays, unpaidDays: keepUnpaidDays },
        keepFixesDays: holding.keepDays,
        tripsWithPlaces: await keptTrips(tx, account, this.line.clock.now()),
        legalHolds: (await legalHolds(tx, account, false)).map(({ placedAt, placedBy, why }) => ({
          placedAt,
          placedBy,
          why,
        })),
        erasures: await erasuresOf(tx, account),
        destroyed: await destructionsOf(tx, account),
      }
    })
  }

  /** Keeps what your devices send for longer than everybody's, or again no longer. */
  @Put('privacy')
  @HttpCode(200)
  @ApiBody({ schema: jsonSchema(keepingSchema) })
  async keep(@Who() who: Principal, @Body() body: unknown) {
    const { keepFixesDays } = parseOrExplain(keepingSchema, body, 'the choice')
    await this.store.transaction((tx) => chooseKeeping(tx, who.account!, keepFixesDays, this.line.clock.now()))
    return this.privacy(who)
  }

  /**
   * Erases where you were, as far as nobody has to be able to check it any more: what your devices sent at once, the roads once their
   * statement is paid and not in dispute. Statements and sums stay.
   */
  @Post('erasure')
  @HttpCode(202)
  @Fresh()
  async erase(@Who() who: Principal) {
    const account = who.account!
    await this.store.transaction(async (tx) => {
      await askErasure(tx, account, this.line.clock.now())
      await want(tx, [destroyWork(account)])
    })
    await this.bell.ring([destroyWork(account)])
    return this.privacy(who)
  }

  /** Everything that is held about you: `json` is all of it, `csv` your trips, `geojson` their roads and `gpx` their fixes while kept. */
  @Get('data.:form')
  @Header('cache-control', 'no-store')
  async data(@Who() who: Principal, @Param('form') form: OwnForm): Promise<StreamableFile> {
    if (!OWN_FORMS.includes(form)) throw new NotFoundException(`your data comes as ${OWN_FORMS.join(', ')}`)
    const pieces = this.store.streamed(ownData(this.store, this.line, who.account!, form))
    return new StreamableFile(Readable.from(pieces, { objectMode: false }), {
      type: MEDIA[form],
      disposition: `attachment; filename="my-data.${form}"`,
    })
  }
}

/** Looking at where a citizen drove: one asks, an approver agrees, the citizen is told. What is then seen, `roadmeter explain` shows. */
@ApiTags('agencies')
@ApiBearerAuth()
@Access(['editor', 'approver'])
@Controller('v1/agencies/:agency/break-glass')
export class BreakGlassController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
  ) {}

  /** The newest requests: trips by id, and why; no place. */
  @Get()
  async list(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    return this.store.reading((tx) => breakGlassOf(tx, agency))
  }

  @Post()
  @ApiBody({ schema: jsonSchema(breakGlassSchema) })
  async ask(@Who() who: Principal, @Param('agency') agency: AgencyId, @Body() body: unknown) {
    ownAgency(who, agency)
    const { trip, why } = parseOrExplain(breakGlassSchema, body, 'the request')
    return this.store.transaction((tx) => askToLook(tx, this.acting(who), trip as TripId, why))
  }

  @Post(':id/agreement')
  @HttpCode(200)
  @Access(['approver'])
  @Fresh()
  async agree(@Who() who: Principal, @Param('agency') agency: AgencyId, @Param('id') id: string) {
    ownAgency(who, agency)
    return this.store.transaction((tx) => agreeToLook(tx, this.acting(who), id))
  }

  /** The trip itself, for the one who asked, while the agreement lasts: fixes with their fate, roads as GeoJSON, charges. Logged each time. */
  @Get(':id/trip')
  @Header('cache-control', 'no-store')
  @AsMachine('a second person agreed that this one looks, and the look is in the access log of whose trip it is')
  async look(@Who() who: SignedIn, @Param('agency') agency: AgencyId, @Param('id') id: string) {
    ownAgency(who, agency)
    const { role, person = null } = who
    const seen = await this.store.transaction(async (tx) => {
      const request = await breakGlassById(tx, id)
      if (request?.agency !== agency || person === null || request.askedBy !== person) return null
      return lookAtTrip(tx, { who: person, role, person, why: request.why }, request.trip, this.line)
    })
    if (!seen) throw new NotFoundException('there is no such request of yours')
    const { trip, fixes, traversals, network, charges } = seen
    return {
      trip: trip.id,
      vehicle: trip.vehicle,
      startedAt: trip.startedAt,
      endedAt: trip.endedAt,
      fixes: fixes.map(({ at, lon, lat, fate }) => ({ at, lon, lat, fate })),
      roads: {
        type: 'FeatureCollection',
        features: traversals.map(({ segment, fromMm, toMm, enteredAt }) => ({
          type: 'Feature',
          geometry: { type: 'LineString', coordinates: lineOf(network, segment, fromMm, toMm) },
          properties: { road: network.name(segment), enteredAt },
        })),
      },
      charges: charges.map(({ amount, rate, ...charge }) => ({
        ...charge,
        rate: rate && { ...rate, micros: String(rate.micros) },
        amountMicros: String(amount),
      })),
    }
  }

  private acting({ agency, person, role }: Principal): Acting {
    return { agency, person: person!, role: role as Acting['role'], now: this.line.clock.now() }
  }
}
