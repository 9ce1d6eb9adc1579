import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  Put,
  Query,
  Sse,
} from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { type Observable } from 'rxjs'
import { z } from 'zod'
import { monthSchema, parseOrExplain, policySchema } from '#contracts'
import { canonical, instant, type AgencyId } from '#kernel'
import { BELL, type Bell } from '#messaging'
import {
  approvePolicy,
  backtestStandings,
  backtestWork,
  checkDraft,
  draftPolicy,
  LINE,
  policyBefore,
  policyNamed,
  policyStories,
  policyStory,
  previewPolicy,
  requestBacktest,
  returnPolicy,
  rollBack,
  schedulePolicy,
  shadowPolicy,
  shadowReport,
  submitPolicy,
  type Acting,
  type Line,
  type PolicyStory,
} from '#pipeline'
import { describeDiff, describePolicy, diffPolicies, faultIn, fromMds, type Language, LANGUAGES } from '#policy'
import { CLOCK, type Clock } from '#runtime'
import { type Principal, Store, type Tx } from '#store'
import { Access, Fresh, ownAgency, Who } from './access'
import { jsonSchema } from './devices.controller'
import { type ProgressEvent, untilDone } from './progress'

const reasonSchema = z.strictObject({ reason: z.string().min(1).max(500) })
const submissionSchema = reasonSchema.extend({ answers: z.record(z.string(), z.string().min(1).max(500)).optional() })
const approvalSchema = reasonSchema.extend({ digest: z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256') })
const backtestSchema = z.strictObject({ months: z.array(monthSchema).min(1).max(24).optional() })
const shadowSchema = reasonSchema.extend({
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
})
const rollbackSchema = reasonSchema.extend({ to: z.string(), startsAt: z.iso.datetime({ offset: true }) })

/**
 * The way of a policy from its draft to its publication: written, checked, backtested and submitted by editors, approved or
 * returned by approvers, never by whoever wrote it.
 */
@ApiTags('policy drafts')
@ApiBearerAuth()
@Controller('v1/agencies/:agency/drafts')
export class DraftsController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(BELL) private readonly bell: Bell,
    @Inject(LINE) private readonly line: Line,
  ) {}

  /** Every policy of the agency with where it stands: drafts first. */
  @Get()
  @Access(['editor', 'approver', 'agency', 'auditor', 'operator'])
  async list(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    const stories = await this.store.reading((tx) => policyStories(tx, agency, this.clock.now()))
    return stories.map(({ document: { name, startsAt }, life, policy, state, digest }) => ({
      policy,
      name,
      startsAt,
      state,
      digest,
      revision: life.revisions.length,
    }))
  }

  /** A policy, what it says in words, and every recorded step with who took it, when and why. */
  @Get(':policy')
  @Access(['editor', 'approver', 'agency', 'auditor', 'operator'])
  async one(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Query('language') language?: string,
  ) {
    ownAgency(who, agency)
    const story = await this.store.reading((tx) => policyStory(tx, agency, policy, this.clock.now()))
    if (!story) throw new NotFoundException('there is no such policy')
    return told(story, languageNamed(language))
  }

  /** Writes a draft, or a new revision of one. It must be valid: what isn't is answered with every fault, and not kept. */
  @Put(':policy')
  @Access(['editor'])
  @ApiBody({ schema: jsonSchema(policySchema) })
  async write(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
    @Query('reason') reason?: string,
  ) {
    const named = { ...(body as object), id: (body as { id?: unknown } | null)?.id ?? policy }
    if (named.id !== policy) throw new NotFoundException(`the document is policy ${String(named.id)}: put it there`)
    return this.act(who, agency, (tx, acting) => draftPolicy(tx, acting, named, reason ?? 'written'))
  }

  /** Looks at a document while it is being written: every fault with its path, what to ask, and the tariff in words. Nothing is kept. */
  @Post(':policy/preview')
  @HttpCode(200)
  @Access(['editor', 'approver', 'agency', 'operator'])
  @ApiBody({ schema: jsonSchema(policySchema) })
  async preview(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
    @Query('language') language?: string,
  ) {
    ownAgency(who, agency)
    const named = { ...(body as object), id: policy }
    return this.store.reading((tx) => previewPolicy(tx, agency, named, this.clock.now(), languageNamed(language)))
  }

  /** Writes a draft from the form of MDS, with our extension. */
  @Put(':policy/mds')
  @Access(['editor'])
  async writeMds(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
    @Query('reason') reason?: string,
  ) {
    ownAgency(who, agency)
    return this.write(who, agency, policy, fromMds(body), reason ?? 'imported from MDS')
  }

  /**
   * What changes against another policy, or against the one before it: in words, in prices, as GeoJSON for a map; and in money,
   * as its latest backtest found.
   */
  @Get(':policy/diff')
  @Access(['editor', 'approver', 'agency', 'auditor', 'operator'])
  async diff(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Query('against') against?: string,
    @Query('language') language?: string,
  ) {
    ownAgency(who, agency)
    return this.store.transaction(async (tx) => {
      const now = this.clock.now()
      const after = await policyNamed(tx, agency, policy, now)
      const before = against ? await policyNamed(tx, agency, against, now) : await policyBefore(tx, agency, after)
      if (!before) throw new NotFoundException('there is no policy before it: name one in ?against=')
      const latest = (await backtestStandings(tx, agency, policy)).findLast(({ report }) => report)
      const diff = diffPolicies(before, after, languageNamed(language))
      return {
        ...(JSON.parse(canonical(diff)) as typeof diff),
        text: describeDiff(diff),
        money: latest?.report?.comparison ?? null,
      }
    })
  }

  /** Drafts a version that says what the published policy `to` said. */
  @Post(':policy/rollback')
  @Access(['editor'])
  @ApiBody({ schema: jsonSchema(rollbackSchema) })
  rollback(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { to, startsAt, reason } = parseOrExplain(rollbackSchema, body, 'the rollback')
    return this.act(who, agency, (tx, acting) => rollBack(tx, acting, to, { id: policy, startsAt }, reason))
  }

  /**
   * Checks the latest revision: every fault with its path, and what an approver should ask about. Without a fault it is recorded
   * as checked.
   */
  @Post(':policy/check')
  @HttpCode(200)
  @Access(['editor', 'approver'])
  async check(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Query('language') language?: string,
  ) {
    const acting = actingAs(who, agency, this.clock)
    const report = await this.store.transaction((tx) => checkDraft(tx, acting, policy, 'checked'))
    return { ...report, faults: report.faults.map((fault) => faultIn(fault, languageNamed(language))) }
  }

  /** Asks for real past months to be rated again under the latest revision; the engine does it. Asking again changes nothing. */
  @Post(':policy/backtests')
  @HttpCode(202)
  @Access(['editor', 'approver'])
  @ApiBody({ schema: jsonSchema(backtestSchema) })
  async backtest(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { months = null } = parseOrExplain(backtestSchema, body ?? {}, 'the request')
    const acting = actingAs(who, agency, this.clock)
    const asked = await this.store.transaction((tx) => requestBacktest(tx, acting, policy, months))
    await this.bell.ring([backtestWork(asked.id)])
    return { id: asked.id, months: asked.months, trips: asked.trips }
  }

  /** The backtests of a policy, how far each has come, and what it came to: nothing in it stands for fewer than ten. */
  @Get(':policy/backtests')
  @Access(['editor', 'approver', 'agency', 'auditor', 'operator'])
  async backtests(@Who() who: Principal, @Param('agency') agency: AgencyId, @Param('policy') policy: string) {
    ownAgency(who, agency)
    const standings = await this.store.reading((tx) => backtestStandings(tx, agency, policy))
    return standings.map(({ backtest: { id, revision, months, trips, person }, ...standing }) => ({
      id,
      revision,
      months,
      trips,
      askedBy: person,
      ...standing,
    }))
  }

  /** The same as it goes on, as server-sent events: what there is to rate and how much is done, until all is. */
  @Sse(':policy/backtests/events')
  @Access(['editor', 'approver', 'agency', 'operator'])
  events(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
  ): Observable<ProgressEvent> {
    ownAgency(who, agency)
    const standings = this.store.bound(() => this.store.reading((tx) => backtestStandings(tx, agency, policy)))
    return untilDone(async () =>
      (await standings()).map(({ backtest: { id, trips }, tripsDone, report }) => ({
        id,
        trips,
        tripsDone,
        isDone: report !== null,
      })),
    )
  }

  /** Lets the latest revision rate alongside, over trips that begin in [from, to). Nobody is charged. */
  @Post(':policy/shadow')
  @HttpCode(200)
  @Access(['editor'])
  @ApiBody({ schema: jsonSchema(shadowSchema) })
  async runShadow(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { from, to, reason } = parseOrExplain(shadowSchema, body, 'the shadow')
    const acting = actingAs(who, agency, this.clock)
    const span = { from: instant(Date.parse(from)), to: instant(Date.parse(to)) }
    await this.store.transaction((tx) => shadowPolicy(tx, acting, policy, span, reason))
    return { policy, from, to }
  }

  /** What the shadow of a policy has come to beside what was charged for the same trips. */
  @Get(':policy/shadow')
  @Access(['editor', 'approver', 'agency', 'auditor', 'operator'])
  async shadow(@Who() who: Principal, @Param('agency') agency: AgencyId, @Param('policy') policy: string) {
    ownAgency(who, agency)
    const report = await shadowReport(this.store, agency, policy, this.line)
    if (!report) throw new NotFoundException('this policy has no shadow')
    return JSON.parse(canonical(report)) as unknown
  }

  /** Asks for approval of the latest revision, which must be checked and backtested. */
  @Post(':policy/submit')
  @HttpCode(200)
  @Access(['editor'])
  @ApiBody({ schema: jsonSchema(submissionSchema) })
  submit(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { reason, answers } = parseOrExplain(submissionSchema, body, 'the submission')
    return this.act(who, agency, (tx, acting) => submitPolicy(tx, acting, policy, reason, answers))
  }

  /** Approves the very document that `digest` names, with its backtest. Not for whoever wrote or submitted it. */
  @Post(':policy/approve')
  @HttpCode(200)
  @Access(['approver'])
  @Fresh()
  @ApiBody({ schema: jsonSchema(approvalSchema) })
  approve(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { digest, reason } = parseOrExplain(approvalSchema, body, 'the approval')
    return this.act(who, agency, (tx, acting) => approvePolicy(tx, acting, policy, digest, reason))
  }

  /** Sends a submitted policy back to its author. */
  @Post(':policy/return')
  @HttpCode(200)
  @Access(['approver'])
  @Fresh()
  @ApiBody({ schema: jsonSchema(reasonSchema) })
  return(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { reason } = parseOrExplain(reasonSchema, body, 'the return')
    return this.act(who, agency, (tx, acting) => returnPolicy(tx, acting, policy, reason))
  }

  /** Publishes an approved policy; it takes over by itself when it starts. */
  @Post(':policy/schedule')
  @HttpCode(200)
  @Access(['editor', 'approver'])
  @Fresh()
  @ApiBody({ schema: jsonSchema(reasonSchema) })
  schedule(
    @Who() who: Principal,
    @Param('agency') agency: AgencyId,
    @Param('policy') policy: string,
    @Body() body: unknown,
  ) {
    const { reason } = parseOrExplain(reasonSchema, body, 'the publication')
    return this.act(who, agency, (tx, acting) => schedulePolicy(tx, acting, policy, reason))
  }

  private async act(
    who: Principal,
    agency: AgencyId,
    work: (tx: Tx, acting: Acting) => Promise<PolicyStory>,
  ): Promise<ReturnType<typeof told>> {
    const acting = actingAs(who, agency, this.clock)
    return told(await this.store.transaction((tx) => work(tx, acting)))
  }
}

/** Whoever signed in as editor or approver of this agency. */
function actingAs(who: Principal, agency: AgencyId, clock: Clock): Acting {
  ownAgency(who, agency)
  return { agency, person: who.person!, role: who.role as Acting['role'], now: clock.now() }
}

/** English for whoever asks for none, or for one that there are no words in. */
const languageNamed = (name: string | undefined): Language => LANGUAGES.find((one) => one === name) ?? 'en'

const told = ({ policy, state, digest, document, life }: PolicyStory, language: Language = 'en') => ({
  policy,
  state,
  digest,
  words: describePolicy(document, language),
  revisions: life.revisions,
  steps: life.steps,
  document,
})
