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
  Sse,
  StreamableFile,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { type Observable } from 'rxjs'
import { exportRequestSchema, parseOrExplain } from '#contracts'
import { DATASETS } from '#evaluation'
import { type AgencyId } from '#kernel'
import { BELL, type Bell } from '#messaging'
import { exportWork, requestExport } from '#pipeline'
import { CLOCK, type Clock } from '#runtime'
import { countingOf, exportById, exportPart, exportsOf, type ExportJob, type Principal, Store } from '#store'
import { Access, ownAgency, Who } from './access'
import { jsonSchema } from './devices.controller'
import { type ProgressEvent, untilDone } from './progress'

const SHOWN_MAX = 200
/** The newest: what is older was answered long ago. */
const FOLLOWED_MAX = 20

/** Tables for analysts as files: asked for, written by the engine, fetched. None of them holds a person. */
@ApiTags('exports')
@ApiBearerAuth()
@Controller('v1/agencies/:agency')
export class ExportsController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(BELL) private readonly bell: Bell,
  ) {}

  /** The data dictionary: what tables there are, and what their columns mean. */
  @Get('datasets')
  @Access(['analyst', 'agency', 'operator'])
  datasets(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    return Object.entries(DATASETS).map(([dataset, { title, about, counts, dimensions, measures, shape }]) => ({
      dataset,
      title,
      about,
      counts,
      dimensions,
      measures: measures.map(({ name, unit, about }) => ({ name, unit, about })),
      shape,
    }))
  }

  /** Asks for a file. The answer says where it stands; the same question again is the same export. */
  @Post('exports')
  @HttpCode(202)
  @Access(['analyst', 'agency', 'operator'])
  @ApiBody({ schema: jsonSchema(exportRequestSchema) })
  async ask(@Who() who: Principal, @Param('agency') agency: AgencyId, @Body() body: unknown) {
    ownAgency(who, agency)
    const request = parseOrExplain(exportRequestSchema, body, 'the export')
    const told = await this.store.transaction(async (tx) => {
      const job = await requestExport(tx, agency, request, who.person ?? who.role, this.clock.now())
      return standing(job, job.finishedAt === null ? await countingOf(tx, agency, job.period) : null)
    })
    await this.bell.ring([exportWork(told.id)])
    return told
  }

  /** The latest exports, newest first. */
  @Get('exports')
  @Access(['analyst', 'agency', 'operator'])
  async list(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    const jobs = await this.store.reading((tx) => exportsOf(tx, agency, SHOWN_MAX))
    return jobs.map((job) => standing(job, null))
  }

  /** Exports under way as they go on, as server-sent events: trips that are counted of those there are, until all are done. */
  @Sse('exports/events')
  @Access(['analyst', 'agency', 'operator'])
  events(@Who() who: Principal, @Param('agency') agency: AgencyId): Observable<ProgressEvent> {
    ownAgency(who, agency)
    const look = this.store.bound(() =>
      this.store.transaction(async (tx) => {
        const jobs = (await exportsOf(tx, agency, SHOWN_MAX)).slice(0, FOLLOWED_MAX)
        const counted = new Map<string, Awaited<ReturnType<typeof countingOf>>>()
        for (const { period, finishedAt } of jobs)
          if (finishedAt === null && !counted.has(period)) counted.set(period, await countingOf(tx, agency, period))
        return jobs.map(({ id, period, finishedAt }) => {
          const counting = finishedAt === null ? (counted.get(period) ?? null) : null
          return { id, trips: counting?.trips ?? 0, tripsDone: counting?.done ?? 0, isDone: finishedAt !== null }
        })
      }),
    )
    return untilDone(look)
  }

  /** Where an export stands: with how many trips are counted while its month is. */
  @Get('exports/:id')
  @Access(['analyst', 'agency', 'operator'])
  async one(@Who() who: Principal, @Param('agency') agency: AgencyId, @Param('id') id: string) {
    ownAgency(who, agency)
    return this.store.transaction(async (tx) => {
      const job = await exportById(tx, id)
      if (job?.agency !== agency) throw new NotFoundException('there is no such export')
      return standing(job, job.finishedAt === null ? await countingOf(tx, agency, job.period) : null)
    })
  }

  /** The file, or `datapackage.json`: its dictionary, licence, totals and digest. */
  @Get('exports/:id/:file')
  @Access(['analyst', 'agency', 'operator'])
  @Header('cache-control', 'private, no-store')
  async file(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('id') id: string,
    @Param('file') file: string,
  ): Promise<StreamableFile> {
    ownAgency(who, agency)
    const job = await this.store.reading((tx) => exportById(tx, id))
    if (job?.agency !== agency || !(await this.part(id, file, 0))) throw new NotFoundException('there is no such file')
    return new StreamableFile(Readable.from(this.store.streamed(this.parts(id, file))), {
      type: TYPES[file.split('.').at(-1)!],
      disposition: `attachment; filename="${agency}-${job.period}-${file}"`,
    })
  }

  private part(id: string, file: string, part: number): Promise<Uint8Array | null> {
    return this.store.reading((tx) => exportPart(tx, id, file, part))
  }

  private async *parts(id: string, file: string): AsyncGenerator<Uint8Array> {
    for (let part = 0; ; part++) {
      const bytes = await this.part(id, file, part)
      if (!bytes) return
      yield bytes
    }
  }
}

const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  json: 'application/json; charset=utf-8',
}

function standing(job: ExportJob, counting: { done: number; trips: number } | null) {
  const { id, dataset, period, format, noise, askedAt, rows, bytes, sha256, refused, finishedAt } = job
  const file = `${dataset}.${format === 'csv' ? 'csv' : 'parquet'}`
  return {
    id,
    dataset,
    period,
    format,
    noise: noise || null,
    askedAt,
    state: refused !== null ? 'refused' : finishedAt !== null ? 'done' : counting ? 'counting' : 'waiting',
    refused,
    progress: counting && { done: counting.done, of: counting.trips },
    rows,
    bytes,
    sha256,
    files: finishedAt !== null && refused === null ? [file, 'datapackage.json'] : [],
  }
}
