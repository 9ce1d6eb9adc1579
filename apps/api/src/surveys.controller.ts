import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger'
import { answersSchema, surveySchema } from '#contracts'
import { type AgencyId } from '#kernel'
import { answerSurvey, openSurvey, openSurveys } from '#pipeline'
import { CLOCK, type Clock } from '#runtime'
import { surveysOf, type Principal, Store } from '#store'
import { Access, ownAgency, Who } from './access'
import { jsonSchema } from './devices.controller'

/** Short surveys of an agency's citizens. How they were answered is a dataset: `survey`, by the export. */
@ApiTags('surveys')
@ApiBearerAuth()
@Controller('v1/agencies/:agency/surveys')
export class SurveysController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Access(['analyst', 'agency', 'operator'])
  async list(@Who() who: Principal, @Param('agency') agency: AgencyId) {
    ownAgency(who, agency)
    return this.store.reading((tx) => surveysOf(tx, agency))
  }

  /** Opens a survey: what is asked is never changed afterwards. */
  @Post()
  @Access(['agency', 'operator'])
  @ApiBody({ schema: jsonSchema(surveySchema) })
  async open(@Who() who: Principal, @Param('agency') agency: AgencyId, @Body() body: unknown) {
    ownAgency(who, agency)
    return this.store.transaction((tx) => openSurvey(tx, agency, body, this.clock.now()))
  }
}

@ApiTags('surveys')
@ApiBearerAuth()
@Controller('v1/surveys')
export class MySurveysController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The surveys that are open to whoever asks, with whether they have answered. */
  @Get()
  @Access(['citizen'])
  async mine(@Who() who: Principal) {
    return this.store.reading((tx) => openSurveys(tx, who.agency, who.account!, this.clock.now()))
  }

  /** Answers a survey, once: `{ "answers": { "question": "option" } }`. No question must be answered. */
  @Post(':survey/answers')
  @HttpCode(204)
  @Access(['citizen'])
  @ApiBody({ schema: jsonSchema(answersSchema) })
  async answer(@Who() who: Principal, @Param('survey') survey: string, @Body() body: unknown): Promise<void> {
    await this.store.transaction((tx) => answerSurvey(tx, who.agency, who.account!, survey, body, this.clock.now()))
  }
}
