import { Controller, Get, Header, Inject, NotFoundException, Param, Res, StreamableFile } from '@nestjs/common'
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger'
import { type FastifyReply } from 'fastify'
import { z } from 'zod'
import { statementSchema, type Statement } from '#contracts'
import { type AccountId } from '#kernel'
import { type Language } from '#policy'
import { statementPdf } from '#pdf'
import { bundleOf, proofOf } from '#pipeline'
import { CLOCK, type Clock } from '#runtime'
import { statementCsv, statementHtml } from '#statement'
import {
  chainHeads,
  listStatements,
  logAccesses,
  periodOf,
  type Principal,
  type SignedIn,
  type StatementRow,
  statementsFor,
  Store,
} from '#store'
import { Access, Who } from './access'
import { jsonSchema } from './devices.controller'
import { ReadersLanguage } from './language'
import { homePage } from './pages'

@ApiTags('statements')
@Controller()
export class StatementsController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** For a browser without JavaScript, in the reader's language or that of `?lang=`. */
  @Get('plain')
  @Access(['citizen', 'agency', 'auditor', 'operator'])
  @Header('content-type', 'text/html; charset=utf-8')
  async home(@Who() who: SignedIn, @ReadersLanguage() language: Language): Promise<string> {
    const { rows, count } = await this.listed(who)
    return homePage(who, rows, count, language)
  }

  /** Newest month first, with totals, at most 200; the header x-total-count tells how many there are. */
  @Get('v1/statements')
  @Access(['citizen', 'agency', 'auditor', 'operator'])
  @ApiBearerAuth()
  async list(@Who() who: SignedIn, @Res({ passthrough: true }) reply: FastifyReply) {
    const { rows, count } = await this.listed(who)
    reply.header('x-total-count', count)
    return rows.map(({ id, account, month, state, digest, due, document }) => {
      const { totals, dueOn, reviewUntil } = JSON.parse(document) as Statement
      return { id, account, month, state, digest, dueMicros: String(due), dueOn, reviewUntil, totals }
    })
  }

  /** The statements of whoever asks; that staff saw what somebody owes stands in that somebody's access log. */
  private async listed(who: SignedIn): Promise<{ rows: StatementRow[]; count: number }> {
    const listed = await listStatements(this.store, who)
    const read = {
      at: this.clock.now(),
      who: who.by,
      role: who.role,
      what: 'statement',
      why: 'the list of totals',
    } as const
    if (who.role !== 'citizen')
      await this.store.transaction((tx) =>
        logAccesses(
          tx,
          read,
          listed.rows.map(({ id, account }) => ({ account: account as AccountId, subject: id })),
        ),
      )
    return listed
  }

  /**
   * A statement as `json` (the sealed bytes), `csv`, or in the reader's language, or that of `?lang=`, as `html` or `pdf`: for its citizen
   * alone, because it tells where they were when.
   */
  @Get('v1/statements/:id.:form')
  @Access(['citizen'])
  @ApiBearerAuth()
  @ApiResponse({ status: 200, schema: jsonSchema(statementSchema) })
  async statement(
    @Who() who: Principal,
    @Param('id') id: string,
    @Param('form') form: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @ReadersLanguage() language: Language,
  ): Promise<string | StreamableFile> {
    const row = (await statementsFor(this.store, who, id))[0]
    if (!row) throw new NotFoundException('there is no such statement')
    const statement: Statement = statementSchema.parse(JSON.parse(row.document))
    switch (form) {
      case 'json':
        reply.type('application/json; charset=utf-8')
        return row.document
      case 'csv':
        reply
          .type('text/csv; charset=utf-8')
          .header('content-disposition', `attachment; filename="statement-${row.month}.csv"`)
        return statementCsv(statement)
      case 'html':
        reply.type('text/html; charset=utf-8')
        return statementHtml(statement, await proofOf(this.store, row), language)
      case 'pdf':
        return new StreamableFile(await statementPdf(statement, await proofOf(this.store, row), language), {
          type: 'application/pdf',
          disposition: `inline; filename="statement-${row.month}.pdf"`,
        })
      default:
        throw new NotFoundException('a statement comes as json, csv, html or pdf')
    }
  }

  /** Shows that a sealed statement is one of those under the published root of its month. */
  @Get('v1/statements/:id/proof')
  @Access(['citizen'])
  @ApiBearerAuth()
  async proof(@Who() who: Principal, @Param('id') id: string) {
    const row = (await statementsFor(this.store, who, id))[0]
    const proof = row && (await proofOf(this.store, row))
    if (!proof) throw new NotFoundException('there is no such sealed statement')
    return proof
  }

  /** A statement with all that it takes to check it offline: the published policies, and its proof once it is sealed. */
  @Get('v1/statements/:id/bundle')
  @Access(['citizen'])
  @ApiBearerAuth()
  async bundle(@Who() who: Principal, @Param('id') id: string) {
    const row = (await statementsFor(this.store, who, id))[0]
    if (!row) throw new NotFoundException('there is no such statement')
    return bundleOf(this.store, row)
  }

  /** The heads of the ledger, for whoever keeps them outside of our database: counts and digests, nobody's data. */
  @Get('v1/ledger/heads')
  @Access('everyone')
  async heads() {
    return { at: this.clock.now(), heads: await this.store.reading((tx) => chainHeads(tx)) }
  }

  /** What a statement is made of, as JSON Schema 2020-12. */
  @Get('schemas/statement.json')
  @Access('everyone')
  @Header('content-type', 'application/schema+json; charset=utf-8')
  schema(): string {
    return JSON.stringify(z.toJSONSchema(statementSchema, { io: 'input', unrepresentable: 'any' }))
  }

  /** The published root of a month: everybody's statements of that month are under it. */
  @Get('v1/agencies/:agency/periods/:month')
  @Access('everyone')
  async period(@Param('agency') agency: string, @Param('month') month: string) {
    const row = await periodOf(this.store, agency, month)
    if (!row) throw new NotFoundException('this month is not being closed')
    return { agency, month, state: row.state, sealedAt: row.sealedAt, root: row.root }
  }
}
