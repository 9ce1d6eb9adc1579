import { Controller, Get, Inject, NotFoundException, Param, Query } from '@nestjs/common'
import { ApiBearerAuth, ApiQuery, ApiTags } from '@nestjs/swagger'
import { z } from 'zod'
import { monthSchema, parseOrExplain } from '#contracts'
import { datasetNamed, meanInterval } from '#evaluation'
import { canonical, type AgencyId } from '#kernel'
import { COMPARED_BY, LINE, pilotResults, type Line } from '#pipeline'
import { releasedCells, releasedMonths, releasesOf, type Principal, Store } from '#store'
import { Access, ownAgency, Who } from './access'

const comparedBySchema = z.enum(COMPARED_BY)

/** What pages show at once; the whole is an export. */
const ROWS_MAX = 20_000

/** Released tables and what follows from them, for pages: never of fewer than ten vehicles. */
@ApiTags('results')
@ApiBearerAuth()
@Controller('v1/agencies/:agency')
export class ResultsController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
  ) {}

  /** Months whose tables are out, oldest first. */
  @Get('datasets/months')
  @Access(['analyst', 'agency', 'operator'])
  async months(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    return this.store.reading((tx) => releasedMonths(tx, agency))
  }

  /**
   * A table of a month: each row with its sums and the mean of its first measure over its vehicles, with a 95 % interval. Micros and
   * millimetres are decimal strings.
   */
  @Get('datasets/:dataset')
  @Access(['analyst', 'agency', 'operator'])
  async table(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('dataset') name: string,
    @Query('period') period: string,
  ) {
    ownAgency(who, agency)
    const { dimensions, measures } = datasetNamed(name)
    return this.store.transaction(async (tx) => {
      const release = (await releasesOf(tx, agency, name, String(period))).findLast(({ noise }) => noise === '')
      if (!release) throw new NotFoundException(`${name} of ${period} is not released: ask for an export of it`)
      const cells = await releasedCells(tx, release.id, 0, ROWS_MAX)
      return {
        dataset: name,
        period,
        release: release.id,
        fewest: release.k,
        suppressed: release.suppressed,
        truncated: release.rows > ROWS_MAX,
        totals: release.totals && Object.fromEntries(measures.map((m, i) => [m.name, String(release.totals![i])])),
        facts: release.facts,
        rows: cells.map(({ key, vehicles, sums, squares }) => ({
          ...Object.fromEntries(dimensions.map((dimension, i) => [dimension.name, key[i]])),
          vehicles,
          ...Object.fromEntries(measures.map((measure, i) => [measure.name, String(sums[i])])),
          mean: squares === null ? null : meanInterval(vehicles, Number(sums[0]), squares),
        })),
      }
    })
  }

  /**
   * How arms of a pilot changed against a baseline: `?baseline=2026-08,2026-09&pilot=2026-10&control=control`; with `by` (hour, zone,
   * road-class, vehicle-class, programme) in each part of the driving as well.
   */
  @Get('evaluation')
  @ApiQuery({ name: 'by', required: false, enum: COMPARED_BY })
  @Access(['analyst', 'agency', 'operator'])
  async evaluation(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Query('baseline') baseline = '',
    @Query('pilot') pilot = '',
    @Query('control') control = 'control',
    @Query('by') given?: string,
  ) {
    ownAgency(who, agency)
    const months = (name: string, list: string) =>
      list.split(',').map((month) => parseOrExplain(monthSchema, month, name))
    const by = given ? parseOrExplain(comparedBySchema, given, 'by') : null
    const asked = { baseline: months('baseline', baseline), pilot: months('pilot', pilot), control, by }
    const results = await this.store.transaction((tx) => pilotResults(tx, agency, asked, this.line))
    return JSON.parse(canonical(results)) as typeof results
  }
}
