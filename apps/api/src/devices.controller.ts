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
  RawBody,
  UnprocessableEntityException,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger'
import { z } from 'zod'
import { batchSchema, parseOrExplain, receiptOf, receiptQuerySchema, receiptSchema, type Receipt } from '#contracts'
import { type DeviceId } from '#kernel'
import { type NewsHandler } from '#messaging'
import { Accept, NEWS } from '#pipeline'
import { heldRanges, Store } from '#store'
import { Access } from './access'

export const jsonSchema = (schema: z.ZodType) =>
  z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }) as Record<string, unknown>

@ApiTags('devices')
@ApiBearerAuth()
@Access('device')
@Controller('v1/devices/:device')
export class DevicesController {
  constructor(
    @Inject(Accept) private readonly accept: Accept,
    @Inject(Store) private readonly store: Store,
    @Inject(NEWS) private readonly tell: NewsHandler,
  ) {}

  /** The twin of the MQTT topic: takes a batch, answers with the receipt after the commit. */
  @Post('batches')
  @HttpCode(200)
  @ApiConsumes('application/json', 'application/cbor')
  @ApiBody({ schema: jsonSchema(batchSchema) })
  @ApiResponse({ status: 200, schema: jsonSchema(receiptSchema) })
  async batch(
    @Param('device') device: DeviceId,
    @RawBody() bytes: Buffer | undefined,
    @Body() _body: unknown,
  ): Promise<Receipt> {
    const { receipt, reason, detail } = await this.accept.message({ device, bytes: bytes ?? new Uint8Array() })
    if (!receipt) throw new UnprocessableEntityException(`the batch was rejected as ${reason}: ${detail}`)
    return receipt
  }

  /** For the OwnTracks app in its HTTP mode, with the device's id and token as user and password. It wants a list in answer. */
  @Post('owntracks')
  @HttpCode(200)
  async ownTracks(
    @Param('device') device: DeviceId,
    @RawBody() bytes: Buffer | undefined,
    @Body() _body: unknown,
  ): Promise<readonly unknown[]> {
    await this.tell({ kind: 'owntracks', device, bytes: bytes ?? new Uint8Array() })
    return []
  }

  /** What is durable: of the latest start of the device, or of the one that is named. */
  @Get('receipt')
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, schema: jsonSchema(receiptSchema) })
  @ApiQuery({ name: 'boot', required: false, description: 'absent: the latest' })
  async receipt(@Param('device') device: DeviceId, @Query() query: unknown): Promise<Receipt> {
    const { boot } = parseOrExplain(receiptQuerySchema, query, 'the query')
    const held = await this.store.transaction((tx) => heldRanges(tx, device, boot))
    if (!held) throw new NotFoundException('nothing was received of this device yet')
    return this.accept.signed(device, receiptOf(device, held.boot, held.held))
  }
}
