import { Controller, Get, Header, Inject, NotFoundException, Param, Query, Res } from '@nestjs/common'
import { ApiBearerAuth, ApiResponse, ApiTags } from '@nestjs/swagger'
import { type FastifyReply } from 'fastify'
import { statementSchema, type Statement } from '#contracts'
import { type AgencyId, type Digest } from '#kernel'
import { merkleProof } from '#ledger'
import { statementCsv, statementHtml, type StatementProof } from '#statement'
import { leavesOf, periodOf, type Principal, statementsFor, type StatementRow, Store } from '#store'
import { Access, SESSION_COOKIE, Who } from './access'
import { jsonSchema } from './devices.controller'
import { homePage } from './pages'

@ApiTags('statements')
@Controller()
export class StatementsController {
  constructor(@Inject(Store) private readonly store: Store) {}

  @Get()
  @Access(['citizen', 'agency', 'operator'])
  @Header('content-type', 'text/html; charset=utf-8')
  async home(@Who() who: Principal): Promise<string> {
    return homePage(who, await statementsFor(this.store, who))
  }

  /** Signs a browser in with an access token: the link that a person was handed. */
  @Get('enter')
  @Access('everyone')
  enter(@Query('token') token: string, @Res() reply: FastifyReply): void {
    void reply
      .setCookie(SESSION_COOKIE, String(token ?? ''), { httpOnly: true, sameSite: 'lax', path: '/', maxAge: 86_400 })
      .redirect('/', 303)
  }

  @Get('v1/statements')
  @Access(['citizen', 'agency', 'operator'])
  @ApiBearerAuth()
  async list(@Who() who: Principal) {
    const rows = await statementsFor(this.store, who)
    return rows.map(({ id, account, month, state, digest, due }) => ({
      id,
      account,
      month,
      state,
      digest,
      dueMicros: String(due),
    }))
  }

  /** A statement as `json` (the sealed bytes), `csv` or `html`. */
  @Get('v1/statements/:id.:form')
  @Access(['citizen', 'agency', 'operator'])
  @ApiBearerAuth()
  @ApiResponse({ status: 200, schema: jsonSchema(statementSchema) })
  async statement(
    @Who() who: Principal,
    @Param('id') id: string,
    @Param('form') form: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
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
        return statementHtml(statement, await this.proofOf(row))
      default:
        throw new NotFoundException('a statement comes as json, csv or html')
    }
  }

  /** Shows that a sealed statement is one of those under the published root of its month. */
  @Get('v1/statements/:id/proof')
  @Access(['citizen', 'agency', 'operator'])
  @ApiBearerAuth()
  async proof(@Who() who: Principal, @Param('id') id: string) {
    const row = (await statementsFor(this.store, who, id))[0]
    const proof = row && (await this.proofOf(row))
    if (!proof) throw new NotFoundException('there is no such sealed statement')
    return proof
  }

  /** The published root of a month: everybody's statements of that month are under it. */
  @Get('v1/agencies/:agency/periods/:month')
  @Access('everyone')
  async period(@Param('agency') agency: string, @Param('month') month: string) {
    const row = await periodOf(this.store, agency, month)
    if (!row) throw new NotFoundException('this month is not being closed')
    return { agency, month, state: row.state, sealedAt: row.sealedAt, root: row.root }
  }

  private async proofOf(row: StatementRow): Promise<StatementProof | undefined> {
    const period = await periodOf(this.store, row.agency, row.month)
    if (!period?.root || row.leaf === null) return undefined
    const leaves = await this.store.transaction((tx) => leavesOf(tx, row.agency as AgencyId, row.month))
    return { root: period.root as Digest, proof: merkleProof(leaves, row.leaf) }
  }
}
