import { Controller, Get, Header, Inject, NotFoundException, Param } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import { type AgencyId } from '#kernel'
import { mdsFeed } from '#pipeline'
import { MDS_VERSION, type MdsForm } from '#policy'
import { CLOCK, type Clock } from '#runtime'
import { agencyById, Store } from '#store'
import { Access } from './access'

const TTL_MS = 60_000

/** The published tariff in the form of the Mobility Data Specification: Policy and Geography, public as it asks. */
@ApiTags('MDS')
@Access('everyone')
@Controller('mds/:agency')
export class MdsController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('policies')
  @Header('cache-control', 'public, max-age=60')
  async policies(@Param('agency') agency: AgencyId) {
    return this.told({ policies: (await this.form(agency)).policies })
  }

  @Get('policies/:id')
  @Header('cache-control', 'public, max-age=60')
  async policy(@Param('agency') agency: AgencyId, @Param('id') id: string) {
    const policies = (await this.form(agency)).policies.filter((policy) => policy.policy_id === id)
    if (policies.length === 0) throw new NotFoundException('there is no such policy')
    return this.told({ policies })
  }

  @Get('geographies')
  @Header('cache-control', 'public, max-age=60')
  async geographies(@Param('agency') agency: AgencyId) {
    return this.told({ geographies: (await this.form(agency)).geographies })
  }

  @Get('geographies/:id')
  @Header('cache-control', 'public, max-age=60')
  async geography(@Param('agency') agency: AgencyId, @Param('id') id: string) {
    const geographies = (await this.form(agency)).geographies.filter((geography) => geography.geography_id === id)
    if (geographies.length === 0) throw new NotFoundException('there is no such geography')
    return this.told({ geographies })
  }

  private async form(agency: AgencyId): Promise<MdsForm> {
    const form = await this.store.transaction(async (tx) =>
      (await agencyById(tx, agency)) ? mdsFeed(tx, agency) : null,
    )
    if (!form) throw new NotFoundException('there is no such agency')
    return form
  }

  private told<T>(data: T) {
    return { version: MDS_VERSION, last_updated: this.clock.now(), ttl: TTL_MS, data }
  }
}
