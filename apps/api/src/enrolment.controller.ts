import { randomBytes } from 'node:crypto'
import { Body, Controller, ForbiddenException, Get, Header, HttpCode, Inject, Post, RawBody } from '@nestjs/common'
import { ApiBody, ApiResponse, ApiTags } from '@nestjs/swagger'
import { z } from 'zod'
import { enrolledSchema, enrolmentContent, enrolmentSchema, parseOrExplain, type Enrolled } from '#contracts'
import { type NewsHandler } from '#messaging'
import { NEWS } from '#pipeline'
import { CLOCK, isSignedBy, type Clock } from '#runtime'
import { enrolDevice, operatorKeys, Store } from '#store'
import { Access } from './access'
import { AsMachine } from './scope'
import { jsonSchema } from './devices.controller'

const keysSchema = z.object({ v: z.literal(1), keys: z.array(z.string()) })

/** How devices come in: their enrolment, the keys by which they know our receipts, and those that a Traccar server speaks for. */
@ApiTags('devices')
@Controller('v1')
export class EnrolmentController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEWS) private readonly tell: NewsHandler,
  ) {}

  /** Takes a device's public key in, against its voucher: what lets it in is the voucher. The token is shown this once. */
  @Post('enrolments')
  @AsMachine('a device that enrols is nobody yet')
  @Access('everyone')
  @HttpCode(201)
  @Header('cache-control', 'no-store')
  @ApiBody({ schema: jsonSchema(enrolmentSchema) })
  @ApiResponse({ status: 201, schema: jsonSchema(enrolledSchema) })
  async enrol(@Body() body: unknown): Promise<Enrolled> {
    const enrolment = parseOrExplain(enrolmentSchema, body, 'the enrolment')
    const key = Buffer.from(enrolment.key, 'base64url')
    if (!(await isSignedBy(key, enrolmentContent(enrolment), enrolment.sig)))
      throw new ForbiddenException('the voucher is not signed by the key that comes with it')
    const token = randomBytes(32).toString('base64url')
    const device = await this.store.transaction((tx) =>
      enrolDevice(tx, { voucher: enrolment.voucher, key, token }, this.clock.now()),
    )
    if (!device) throw new ForbiddenException('the voucher is not known, spent or over')
    return { v: 1, device, token, operatorKeys: (await this.keys()).keys }
  }

  /** The public keys that receipts are signed with, base64url, oldest first: those of before, and of today. */
  @Get('keys')
  @Access('everyone')
  @ApiResponse({ status: 200, schema: jsonSchema(keysSchema) })
  async keys(): Promise<z.infer<typeof keysSchema>> {
    const keys = await this.store.reading((tx) => operatorKeys(tx))
    return { v: 1, keys: keys.map(({ key }) => Buffer.from(key).toString('base64url')) }
  }

  /** For a Traccar server whose forward.type is json. Answered after the commit: with forward.retry.enable it tries again otherwise. */
  @Post('traccar')
  @Access('forwarder')
  @HttpCode(204)
  async traccar(@RawBody() bytes: Buffer | undefined, @Body() _body: unknown): Promise<void> {
    await this.tell({ kind: 'traccar', bytes: bytes ?? new Uint8Array() })
  }
}
