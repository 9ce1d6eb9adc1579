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
  Query,
  Req,
  Res,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { decisionSchema, noteSchema, openDisputeSchema, parseOrExplain } from '#contracts'
import { InputError } from '#kernel'
import {
  addEvidence,
  addNote,
  decideDispute,
  fileOf,
  LINE,
  openDispute,
  withdrawDispute,
  type DisputeFile,
  type Line,
  type Party,
} from '#pipeline'
import {
  disputesOf,
  evidenceOf,
  logAccess,
  logAccesses,
  statementsFor,
  Store,
  type Principal,
  type SignedIn,
} from '#store'
import { Access, Fresh, Who } from './access'
import { AsMachine } from './scope'
import { jsonSchema } from './devices.controller'

/**
 * Questions about a statement. The citizen whose it is and the agency see the same timeline. By questioning a line its citizen shows
 * it to the agency: its day, road class, zones, distance and price, and what is said and shown; never the journey's places or times.
 */
@ApiTags('disputes')
@ApiBearerAuth()
@Controller('v1')
export class DisputesController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
  ) {}

  @Post('statements/:id/disputes')
  @Access(['citizen'])
  @ApiBody({ schema: jsonSchema(openDisputeSchema) })
  async open(@Who() who: Principal, @Param('id') id: string, @Body() body: unknown) {
    const asked = parseOrExplain(openDisputeSchema, body, 'the dispute')
    const row = (await statementsFor(this.store, who, id))[0]
    if (!row) throw new NotFoundException('there is no such statement')
    return shown(await openDispute(this.store, row, asked, this.line))
  }

  /** Newest first. For the agency: `?open` leaves out what is decided; those to be decided soonest are the last. */
  @Get('disputes')
  @Access(['citizen', 'agency', 'operator'])
  async list(@Who() who: SignedIn, @Query('open') open?: string) {
    const files = await this.store.transaction(async (tx) => {
      const rows = await disputesOf(tx, partyOf(who), open !== undefined)
      const all: DisputeFile[] = []
      for (const row of rows) all.push(await fileOf(tx, row))
      if (who.role !== 'citizen')
        await logAccesses(
          tx,
          {
            at: this.line.clock.now(),
            who: who.by,
            role: who.role,
            what: 'dispute',
            why: 'the list of questions to decide',
          },
          rows.map(({ id, account }) => ({ account, subject: id })),
        )
      return all
    })
    return files.map(shown)
  }

  @Post('disputes/:id/notes')
  @Access(['citizen', 'agency', 'operator'])
  @ApiBody({ schema: jsonSchema(noteSchema) })
  async note(@Who() who: Principal, @Param('id') id: string, @Body() body: unknown) {
    const { text } = parseOrExplain(noteSchema, body, 'the note')
    return shown(await addNote(this.store, id, partyOf(who), text, this.line.clock.now()))
  }

  /** Takes the bytes of a JPEG, PNG, WebP or PDF as they are, at most 5 MiB. */
  @Post('disputes/:id/evidence')
  @Access(['citizen', 'agency', 'operator'])
  @ApiConsumes('image/jpeg', 'image/png', 'image/webp', 'application/pdf')
  async evidence(@Who() who: Principal, @Param('id') id: string, @Req() request: FastifyRequest) {
    if (!Buffer.isBuffer(request.body))
      throw new InputError(
        'EVIDENCE_TYPE',
        'send the file itself, as image/jpeg, image/png, image/webp or application/pdf',
      )
    return shown(await addEvidence(this.store, id, partyOf(who), request.body, this.line.clock.now()))
  }

  /** A file as it was sent in. Never shown in place: whatever it holds, it is not a page of ours. */
  @Get('disputes/:id/evidence/:file')
  @Access(['citizen', 'agency', 'operator'])
  @Header('cache-control', 'no-store')
  async file(
    @Who() who: SignedIn,
    @Param('id') id: string,
    @Param('file') file: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const found = await this.store.transaction(async (tx) => {
      const dispute = (await disputesOf(tx, partyOf(who))).find((one) => one.id === id)
      if (!dispute) return null
      if (who.role !== 'citizen')
        await logAccess(tx, {
          account: dispute.account,
          at: this.line.clock.now(),
          who: who.by,
          role: who.role,
          what: 'evidence',
          subject: id,
          why: 'to decide the dispute',
        })
      return evidenceOf(tx, id, file)
    })
    if (!found) throw new NotFoundException('there is no such file')
    reply
      .type(found.mediaType)
      .header('content-disposition', `attachment; filename="evidence.${found.mediaType.split('/')[1]}"`)
    return Buffer.from(found.bytes)
  }

  @Post('disputes/:id/withdrawal')
  @HttpCode(200)
  @Access(['citizen'])
  async withdraw(@Who() who: Principal, @Param('id') id: string) {
    return shown(await withdrawDispute(this.store, id, partyOf(who), this.line.clock.now()))
  }

  @Post('disputes/:id/decision')
  @AsMachine('prices the journey again, whose places the agency does not see')
  @HttpCode(200)
  @Access(['agency', 'operator'])
  @Fresh()
  @ApiBody({ schema: jsonSchema(decisionSchema) })
  async decide(@Who() who: Principal, @Param('id') id: string, @Body() body: unknown) {
    const decision = parseOrExplain(decisionSchema, body, 'the decision')
    return shown(await decideDispute(this.store, id, partyOf(who), decision, this.line))
  }
}

const partyOf = ({ agency, account, role }: Principal): Party => ({
  agency,
  account: role === 'citizen' ? account : null,
})

const shown = ({ id, statement, trip, line, amount, reason, decideBy, openedAt, state, steps }: DisputeFile) => ({
  id,
  statement,
  trip,
  line,
  amountMicros: String(amount),
  reason,
  state,
  openedAt,
  decideBy,
  steps,
})
