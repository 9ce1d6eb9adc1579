import { Controller, Get, Inject, Param } from '@nestjs/common'
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger'
import { type AgencyId } from '#kernel'
import { policyInForce } from '#policy'
import { CELL_MIN } from '#rating'
import { CLOCK, type Clock } from '#runtime'
import { accuracyOf, backlog, monthlyResults, policiesOf, type Principal, standingOf, Store } from '#store'
import { Access, ownAgency, Who } from './access'
import { AsMachine } from './scope'

/** How a pilot goes, for those who run it: totals alone, and no distance or amount that stands for fewer than ten vehicles. */
@ApiTags('agencies')
@ApiBearerAuth()
@Controller('v1/agencies/:agency/dashboard')
export class DashboardController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * People, vehicles and devices; miles and money by month; how well distances are known; and all that waits: work, messages in
   * quarantine, disputes, held trips, stopped statements.
   */
  @Get()
  @Access(['agency', 'auditor', 'operator', 'editor', 'approver'])
  @AsMachine("counts what arrived of its own devices, and what is no agency's: work and quarantine")
  async dashboard(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    const at = this.clock.now()
    return this.store.transaction(async (tx) => {
      const accuracy = await accuracyOf(tx, agency)
      const policy = policyInForce(
        (await policiesOf(tx, agency)).map(({ document }) => document),
        at,
      )
      return {
        at,
        policy: policy && { id: policy.id, name: policy.name, currency: policy.currency, unit: policy.billing.unit },
        ...(await standingOf(tx, agency)),
        months: (await monthlyResults(tx, agency, at)).map(({ month, vehicles, ...sums }) =>
          vehicles < CELL_MIN
            ? { month, suppressed: true as const }
            : { month, vehicles, ...sums, amountMicros: String(sums.amountMicros) },
        ),
        accuracy:
          accuracy.vehicles < CELL_MIN
            ? null
            : { ...accuracy, witnessed: accuracy.witnessed.vehicles < CELL_MIN ? null : accuracy.witnessed },
        work: await backlog(tx),
      }
    })
  }
}
