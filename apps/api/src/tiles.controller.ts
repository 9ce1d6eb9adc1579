import { BadRequestException, Controller, Get, Inject, NotFoundException, Param, Query, Req, Res } from '@nestjs/common'
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { gunzipSync } from 'node:zlib'
import { monthSchema, parseOrExplain, type PolicyDocument } from '#contracts'
import { type AgencyId, type Digest } from '#kernel'
import { policyStory } from '#pipeline'
import { policyInForce } from '#policy'
import { type RoadNetwork, unpackNetwork } from '#road-network'
import { CLOCK, type Clock } from '#runtime'
import {
  mapOf,
  networkInForce,
  packedNetwork,
  policiesOf,
  type Principal,
  segmentUses,
  soleAgency,
  Store,
  trafficOf,
} from '#store'
import { ChargedTiles, drivenRoads, isSquare, mainPart, RoadTiles, type Square, ZOOM_MAX, ZoneTiles } from '#tiles'
import { Access, ownAgency, Who } from './access'
import { TileShelf, type TileSource } from './tile-shelf'

/** What an address with a digest in it answers never changes. */
const FOREVER = 'public, max-age=31536000, immutable'

/**
 * The map: squares of our own roads and zones, as Mapbox Vector Tiles, so that a page asks nobody else for anything. Roads and the
 * zones of published policies are public; drafts are for those who write and approve them; charged miles are sums of ten vehicles or more.
 */
@ApiTags('map')
@Controller()
export class TilesController {
  private readonly shelf = new TileShelf()

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Where an agency's map is: its bounds in degrees (west, south, east, north), whom it is owed to, and addresses of its tiles. */
  @Get('v1/agencies/:agency/map')
  @Access('everyone')
  async map(@Param('agency') agency: AgencyId) {
    const now = this.clock.now()
    const { map, policies } = await this.store.transaction(async (tx) => ({
      map: await mapOf(tx, agency, now),
      policies: await policiesOf(tx, agency),
    }))
    if (!map) throw new NotFoundException('there is no such agency, or it has no map yet')
    const inForce = policyInForce(
      policies.map(({ document }) => document),
      now,
    )
    const of = (layer: string, more: Record<string, string>) =>
      `/tiles/${layer}/{z}/{x}/{y}.pbf?${new URLSearchParams({ agency, ...more }).toString()}`
    return {
      bounds: map.bounds,
      attribution: map.attribution,
      zoomMax: ZOOM_MAX,
      tiles: {
        roads: of('roads', { network: map.network }),
        zones: inForce && of('zones', { policy: inForce.id, digest: digestOf(policies, inForce.id) }),
      },
    }
  }

  /** Layer `roads`: lines with `class`, `name`, `number`, `access`, `bridge`, `tunnel`, `link`, `oneway`. */
  @Get('tiles/roads/:z/:x/:y')
  @Access('everyone')
  @ApiQuery({ name: 'agency', required: false, description: 'absent: the only one here' })
  @ApiQuery({ name: 'network', required: false, description: 'digest; absent: the one in force' })
  async roads(
    @Param() square: Record<'z' | 'x' | 'y', string>,
    @Query('agency') named: AgencyId | undefined,
    @Query('network') network: Digest | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const agency = named ?? (await this.store.reading((tx) => soleAgency(tx)))
    if (!agency) throw new BadRequestException('say whose roads: ?agency=')
    const digest = network ?? (await this.store.reading((tx) => networkInForce(tx, agency, this.clock.now())))
    return this.send(`roads/${agency}/${digest}`, square, network !== undefined, request, reply, async () => {
      return new RoadTiles(await this.network(agency, digest))
    })
  }

  /** Layers `zones` and `zone-labels` of a published policy, with `id` and `name`. */
  @Get('tiles/zones/:z/:x/:y')
  @Access('everyone')
  @ApiQuery({ name: 'digest', required: false, description: 'of the policy; with it the answer may be kept for ever' })
  async zones(
    @Param() square: Record<'z' | 'x' | 'y', string>,
    @Query('agency') agency: AgencyId,
    @Query('policy') policy: string,
    @Query('digest') digest: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.send(`zones/${agency}/${policy}`, square, digest !== undefined, request, reply, async () => {
      const rows = await this.store.reading((tx) => policiesOf(tx, agency))
      return zonesOf(rows.find(({ document }) => document.id === policy)?.document)
    })
  }

  /** The same of what a draft says now. */
  @Get('tiles/drafts/:z/:x/:y')
  @Access(['editor', 'approver', 'agency', 'operator'])
  @ApiBearerAuth()
  async drafts(
    @Who() who: Principal,
    @Param() square: Record<'z' | 'x' | 'y', string>,
    @Query('policy') policy: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const story = await this.store.reading((tx) => policyStory(tx, who.agency, policy, this.clock.now()))
    if (!story) throw new NotFoundException('there is no such policy')
    return this.send(`drafts/${who.agency}/${story.digest}`, square, false, request, reply, async () =>
      zonesOf(story.document),
    )
  }

  /** Layer `charged` of a counted month: segments that at least ten vehicles drove on, with `miles`, `passes`, `vehicles`, `name`. */
  @Get('tiles/charged/:z/:x/:y')
  @Access(['analyst', 'agency', 'operator'])
  @ApiBearerAuth()
  async charged(
    @Who() who: Principal,
    @Param() square: Record<'z' | 'x' | 'y', string>,
    @Query('month') given: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const month = parseOrExplain(monthSchema, given, 'the month')
    const { agency } = who
    return this.send(`charged/${agency}/${month}`, square, false, request, reply, async () => {
      const main = await this.store.transaction(async (tx) => {
        if (!(await trafficOf(tx, agency)).some((one) => one.month === month))
          throw new NotFoundException('that month is not counted yet')
        return mainPart(await segmentUses(tx, agency, month))
      })
      return main ? new ChargedTiles(await this.network(agency, main.network), main.uses) : { tile: () => null }
    })
  }

  /** What was counted of a month, road by road: the map of charged miles as a table. */
  @Get('v1/agencies/:agency/traffic')
  @Access(['analyst', 'agency', 'operator'])
  @ApiBearerAuth()
  async traffic(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    const months = await this.store.reading((tx) => trafficOf(tx, agency))
    return months.map(({ month, vehicles, segments, suppressed }) => ({ month, vehicles, segments, suppressed }))
  }

  /** Roads by name, or by class where they have none, most driven first; at most 200. */
  @Get('v1/agencies/:agency/traffic/:month')
  @Access(['analyst', 'agency', 'operator'])
  @ApiBearerAuth()
  async roadsDriven(@Who() who: Principal, @Param('agency') agency: AgencyId, @Param('month') given: string) {
    ownAgency(who, agency)
    const month = parseOrExplain(monthSchema, given, 'the month')
    const main = mainPart(await this.store.reading((tx) => segmentUses(tx, agency, month)))
    return main ? drivenRoads(await this.network(agency, main.network), main.uses) : []
  }

  private async network(agency: AgencyId, digest: Digest | null): Promise<RoadNetwork> {
    const packed = digest && (await this.store.reading((tx) => packedNetwork(tx, agency, digest)))
    if (!packed) throw new NotFoundException('there is no such map')
    return unpackNetwork(packed)
  }

  private async send(
    key: string,
    { z, x, y }: Record<'z' | 'x' | 'y', string>,
    isForever: boolean,
    request: FastifyRequest,
    reply: FastifyReply,
    open: () => Promise<TileSource>,
  ): Promise<void> {
    const row = /^(\d{1,5})\.pbf$/.exec(y)?.[1]
    const square: Square = { z: Number(z), x: Number(x), y: Number(row) }
    if (!/^\d{1,2}$/.test(z) || !/^\d{1,5}$/.test(x) || row === undefined || !isSquare(square))
      throw new BadRequestException(
        `there is no square ${z}/${x}/${y}: expected {z}/{x}/{y}.pbf, zoom 0 to ${ZOOM_MAX}`,
      )
    const tile = await this.shelf.tile(key, square, open)
    reply.header('cache-control', isForever ? FOREVER : 'private, no-cache').header('vary', 'accept-encoding')
    if (tile.length === 0) return void reply.code(204).send()
    reply.type('application/vnd.mapbox-vector-tile')
    if (/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) reply.header('content-encoding', 'gzip').send(tile)
    else reply.send(gunzipSync(tile))
  }
}

function zonesOf(document: PolicyDocument | undefined): ZoneTiles {
  if (!document) throw new NotFoundException('there is no such policy')
  return new ZoneTiles(document)
}

const digestOf = (rows: readonly { document: PolicyDocument; digest: string }[], id: string): string =>
  rows.find(({ document }) => document.id === id)!.digest
