import {
  Body,
  Controller,
  Get,
  Header,
  Headers,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  Put,
  RawBody,
  Res,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { type FastifyReply } from 'fastify'
import { parseOrExplain, payStatementSchema, topUpSchema, walletPlanSchema } from '#contracts'
import { formatMicros, InputError, micros, parseMicros, type AccountId, type Micros } from '#kernel'
import { type Language } from '#policy'
import { LocalProvider, PAYMENT_PROVIDER, type PaymentProvider } from '#payments'
import { askAhead, askBack, askForStatement, currencyOf, LINE, type Line, positionOf, recordPayment } from '#pipeline'
import { SETTINGS_OF_PROCESS, type Settings } from '#runtime'
import {
  agencyById,
  paymentById,
  paymentsOf,
  savePaymentEvent,
  saveWalletPlan,
  Store,
  walletPlanOf,
  type Payment,
  type PaymentEvent,
  type Principal,
} from '#store'
import { Access, Fresh, Who } from './access'
import { AsMachine } from './scope'
import { jsonSchema } from './devices.controller'
import { ReadersLanguage } from './language'
import { payPage } from './pages'

/** What citizens owe, pay and have in credit. Amounts are decimal strings of micros, above zero where the citizen owes or has them. */
@ApiTags('payments')
@Controller()
export class PaymentsController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider | null,
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
  ) {}

  /** What each final statement still asks for, what disputes hold of it, credit, and what was driven since. */
  @Get('v1/balance')
  @Access(['citizen'])
  @ApiBearerAuth()
  async balance(@Who() who: Principal) {
    const account = who.account!
    return this.store.reading(async (tx) => {
      const [{ bills, credit, accrued, available }, plan] = await Promise.all([
        positionOf(tx, account),
        walletPlanOf(tx, account),
      ])
      return {
        statements: bills.map(({ statement, month, currency, due, paid, held, outstanding }) => ({
          statement,
          month,
          currency,
          dueMicros: String(due),
          paidMicros: String(paid),
          heldMicros: String(held),
          outstandingMicros: String(outstanding),
          state: outstanding > 0n ? 'due' : held > 0n ? 'held' : 'paid',
        })),
        creditMicros: String(credit),
        drivenMicros: String(accrued),
        availableMicros: String(available),
        wallet: plan && { ...plan, isLow: available < parseMicros(plan.floor)! },
      }
    })
  }

  /** Paying ahead: how much credit there is to be, and what to be asked for when there is less. */
  @Put('v1/wallet')
  @Access(['citizen'])
  @ApiBearerAuth()
  @ApiBody({ schema: jsonSchema(walletPlanSchema) })
  async plan(@Who() who: Principal, @Body() body: unknown) {
    const plan = parseOrExplain(walletPlanSchema, body, 'the wallet')
    await this.store.transaction((tx) => saveWalletPlan(tx, who.account!, plan))
    return plan
  }

  /** Payments and what became of each, newest first. */
  @Get('v1/payments')
  @Access(['citizen'])
  @ApiBearerAuth()
  async list(@Who() who: Principal) {
    const rows = await this.store.reading((tx) => paymentsOf(tx, who.account!))
    return rows.map(({ payment: { id, statement, amount, currency, provider, askedAt }, events }) => ({
      id,
      statement,
      currency,
      amountMicros: String(amount),
      provider,
      askedAt,
      state: events.some((e) => e.kind === 'succeeded')
        ? 'succeeded'
        : events.some((e) => e.kind === 'failed')
          ? 'failed'
          : 'asked',
      events: events.map(({ kind, amount: taken, detail, happenedAt }) => ({
        kind,
        amountMicros: String(taken),
        detail,
        happenedAt,
      })),
    }))
  }

  /** Asks to pay a final statement, whole or in part; answers with the page on which to pay. Asked again it is the same payment. */
  @Post('v1/statements/:id/payments')
  @Access(['citizen'])
  @ApiBearerAuth()
  @ApiBody({ schema: jsonSchema(payStatementSchema) })
  async pay(@Who() who: Principal, @Param('id') id: string, @Body() body: unknown) {
    const provider = this.anyProvider()
    const { amount } = parseOrExplain(payStatementSchema, body ?? {}, 'the payment')
    const teller = { provider: provider.name, now: this.line.clock.now() }
    const asked = amount === undefined ? null : parseMicros(amount)
    return this.ask(provider, await askForStatement(this.store, who.account!, id, asked, teller))
  }

  /** Asks to pay ahead. */
  @Post('v1/wallet/top-ups')
  @Access(['citizen'])
  @ApiBearerAuth()
  @ApiBody({ schema: jsonSchema(topUpSchema) })
  async topUp(@Who() who: Principal, @Body() body: unknown) {
    const provider = this.anyProvider()
    const { amount } = parseOrExplain(topUpSchema, body, 'the payment')
    const teller = { provider: provider.name, now: this.line.clock.now() }
    const currency = await currencyOf(this.store, who.agency, this.line)
    return this.ask(provider, await askAhead(this.store, who.account!, parseMicros(amount)!, currency, teller))
  }

  /** Gives part of a payment back, out of its payer's credit. A citizen asks it of their own. */
  @Post('v1/payments/:id/refunds')
  @Fresh()
  @Access(['citizen', 'agency', 'operator'])
  @ApiBearerAuth()
  @ApiBody({ schema: jsonSchema(topUpSchema) })
  async refund(@Who() who: Principal, @Param('id') id: string, @Body() body: unknown) {
    const provider = this.anyProvider()
    const amount = parseMicros(parseOrExplain(topUpSchema, body, 'the refund').amount)!
    const paid = await this.store.transaction(async (tx) => {
      const payment = await paymentById(tx, id)
      if (payment?.agency !== who.agency) return null
      if (who.role === 'citizen' && payment.account !== who.account) return null
      const events = (await paymentsOf(tx, payment.account)).find((row) => row.payment.id === id)!.events
      return { payment, success: events.find(({ kind }) => kind === 'succeeded') }
    })
    if (!paid || paid.payment.provider !== provider.name) throw new NotFoundException('there is no such payment')
    const { payment, success } = paid
    if (!success) throw new InputError('REFUND_TOO_LARGE', 'nothing was paid that could be given back')
    const { account, currency } = payment
    const now = this.line.clock.now()
    const teller = { provider: provider.name, now }
    const back = await askBack(this.store, account, amount, currency, teller, id)
    const asked = await this.askProvider(provider, back, success)
    await this.noteAsked(provider, back, asked.reference)
    if (provider instanceof LocalProvider) {
      const told = { event: `${back.id}-succeeded`, payment: back.id, kind: 'succeeded', amount: back.amount } as const
      const { bytes, signature } = provider.message({ ...told, detail: '', happenedAt: now }, now)
      await this.take(provider, bytes, signature)
    }
    return { payment: back.id, amountMicros: String(back.amount), currency }
  }

  /** Where the payment provider tells what became of a payment. It must sign; told again, nothing happens twice. */
  @Post('v1/payments/events')
  @AsMachine('a provider tells by its signature what was paid')
  @HttpCode(200)
  @Access('everyone')
  async told(
    @RawBody() bytes: Buffer | undefined,
    @Headers('stripe-signature') signature: unknown,
    @Body() _: unknown,
  ) {
    return this.take(this.anyProvider(), bytes ?? new Uint8Array(), String(signature ?? ''))
  }

  /** Where a payment of the local provider is made: a page that says so, and takes no money. */
  @Get('pay/:payment')
  @Access(['citizen'])
  @Header('content-type', 'text/html; charset=utf-8')
  async page(
    @Who() who: Principal,
    @Param('payment') id: string,
    @ReadersLanguage() language: Language,
  ): Promise<string> {
    const payment = await this.localPayment(who, id)
    return payPage(payment.currency, formatMicros(payment.amount), payment.id, language)
  }

  @Post('pay/:payment')
  @AsMachine('plays the provider, who tells what was paid')
  @Access(['citizen'])
  async choose(
    @Who() who: Principal,
    @Param('payment') id: string,
    @Body() body: { outcome?: unknown },
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { provider } = this
    const { amount } = await this.localPayment(who, id)
    if (!(provider instanceof LocalProvider)) throw new NotFoundException('there is no such page')
    const now = this.line.clock.now()
    const kind = body?.outcome === 'decline' ? 'failed' : 'succeeded'
    const detail = kind === 'failed' ? 'the card was declined' : ''
    // A card may be declined as often as one likes, and be charged once.
    const event = kind === 'failed' ? `${id}-failed-${now}` : `${id}-succeeded`
    const { bytes, signature } = provider.message({ event, payment: id, kind, amount, detail, happenedAt: now }, now)
    await this.take(provider, bytes, signature)
    await reply.redirect('/', 303)
  }

  private async take(provider: PaymentProvider, bytes: Uint8Array, signature: string) {
    const now = this.line.clock.now()
    const told = provider.told(bytes, signature, now)
    if (!told) return { taken: false, code: 'NOT_OURS' }
    const isNew = await recordPayment(this.store, { provider: provider.name, ...told }, now)
    return isNew ? { taken: true } : { taken: false, code: 'WEBHOOK_REPLAYED' }
  }

  private async ask(provider: PaymentProvider, payment: Payment) {
    const { id, amount, currency, agency } = payment
    const owner = await this.store.reading((tx) => agencyById(tx, agency))
    const returnUrl = this.settings.publicUrl
    const asked = await provider.ask({ payment: id, amount, currency, title: owner!.name, returnUrl })
    await this.noteAsked(provider, payment, asked.reference)
    return { payment: id, amountMicros: String(amount), currency, url: asked.url }
  }

  /** What the provider refuses is credit again; where it can't be said what it did, it is asked the same thing again, or tells. */
  private async askProvider(provider: PaymentProvider, back: Payment, success: PaymentEvent) {
    const { id, amount, currency } = back
    try {
      return await provider.refund({ payment: id, amount: micros(-amount), currency }, success)
    } catch (error) {
      const now = this.line.clock.now()
      if (error instanceof InputError && error.code !== 'PROVIDER_AWAY') {
        const told = { event: `refused ${id}`, payment: id, kind: 'failed', amount, reference: '' } as const
        await recordPayment(
          this.store,
          { provider: provider.name, ...told, detail: error.message, happenedAt: now },
          now,
        )
      }
      throw error
    }
  }

  private async noteAsked(
    provider: PaymentProvider,
    { id, amount, askedAt }: Payment,
    reference: string,
  ): Promise<void> {
    const event = { provider: provider.name, event: `asked ${reference}`, payment: id, kind: 'asked' } as const
    await this.store.transaction((tx) =>
      savePaymentEvent(tx, { ...event, amount, reference, detail: '', happenedAt: askedAt }, this.line.clock.now()),
    )
  }

  private anyProvider(): PaymentProvider {
    if (!this.provider) throw new InputError('NO_PROVIDER', 'payments are taken at the desk of the agency only')
    return this.provider
  }

  private async localPayment(who: Principal, id: string): Promise<{ id: string; amount: Micros; currency: string }> {
    const payment = await this.store.reading((tx) => paymentById(tx, id))
    if (this.provider?.name !== 'local' || payment?.account !== (who.account as AccountId))
      throw new NotFoundException('there is no such payment')
    return payment
  }
}
