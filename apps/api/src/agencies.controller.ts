import { Body, Controller, Get, Header, Inject, NotFoundException, Param, Post } from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { policySchema } from '#contracts'
import { type AgencyId } from '#kernel'
import { policyFeed } from '#pipeline'
import { describePolicy, parsePolicy } from '#policy'
import { CLOCK, type Clock } from '#runtime'
import { agencyById, monthlyResults, networksOf, policiesOf, type Principal, filePolicy, Store } from '#store'
import { Access, Fresh, ownAgency, Who } from './access'
import { jsonSchema } from './devices.controller'

@ApiTags('agencies')
@Controller('v1/agencies/:agency')
export class AgenciesController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The public tariff, past and to come: each policy as it was filed, with its digest and in words. */
  @Get('policies')
  @Access('everyone')
  async policies(@Param('agency') agency: AgencyId) {
    const rows = await this.store.transaction(async (tx) =>
      (await agencyById(tx, agency)) ? policiesOf(tx, agency) : null,
    )
    if (!rows) throw new NotFoundException('there is no such agency')
    return rows.map(({ document, digest }) => ({ id: document.id, digest, words: describePolicy(document), document }))
  }

  /** What is and what will be in force, then what was, for machines: with whether it was approved, and on which backtest. */
  @Get('feed')
  @Access('everyone')
  @Header('cache-control', 'public, max-age=60')
  async feed(@Param('agency') agency: AgencyId) {
    const feed = await this.store.transaction(async (tx) =>
      (await agencyById(tx, agency)) ? policyFeed(tx, agency, this.clock.now()) : null,
    )
    if (!feed) throw new NotFoundException('there is no such agency')
    return feed
  }

  /** Files a policy directly, where the agency has never named an approver. It must start in the future, or be the agency's first. */
  @Post('policies')
  @Access(['agency', 'operator'])
  @Fresh()
  @ApiBearerAuth()
  @ApiBody({ schema: jsonSchema(policySchema) })
  async file(@Who() who: Principal, @Param('agency') agency: AgencyId, @Body() body: unknown) {
    ownAgency(who, agency)
    const document = parsePolicy(body)
    const digest = await this.store.transaction((tx) => filePolicy(tx, agency, document, this.clock.now()))
    return { id: document.id, digest }
  }

  /** The road networks that trips were and are matched on. */
  @Get('networks')
  @Access('everyone')
  async networks(@Param('agency') agency: AgencyId) {
    const rows = await this.store.reading(async (tx) =>
      (await agencyById(tx, agency)) ? networksOf(tx, agency) : null,
    )
    if (!rows) throw new NotFoundException('there is no such agency')
    return rows
  }

  /** Pilot results by month: sums over all vehicles, and none where fewer than ten took part. */
  @Get('results')
  @Access(['analyst', 'agency', 'auditor', 'operator'])
  @ApiBearerAuth()
  async results(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    const rows = await this.store.reading((tx) => monthlyResults(tx, agency, this.clock.now()))
    return rows.map((row) =>
      row.vehicles < VEHICLES_MIN
        ? { month: row.month, suppressed: `fewer than ${VEHICLES_MIN} vehicles` }
        : { ...row, amountMicros: String(row.amountMicros) },
    )
  }
}

/** No cell of a result stands for fewer vehicles than this. */
const VEHICLES_MIN = 10
