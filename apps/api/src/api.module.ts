import { Module } from '@nestjs/common'
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core'
import { PaymentsModule } from '#payments'
import { PipelineModule } from '#pipeline/module'
import { AccessGuard, Authentication } from './access'
import { AgenciesController } from './agencies.controller'
import { DashboardController } from './dashboard.controller'
import { CitizensController } from './citizens.controller'
import { DevicesController } from './devices.controller'
import { DisputesController } from './disputes.controller'
import { DraftsController } from './drafts.controller'
import { EnrolmentController } from './enrolment.controller'
import { Address } from './identity/address'
import { AuthController } from './identity/auth.controller'
import { ExportsController } from './exports.controller'
import { MdsController } from './mds.controller'
import { MileageController, MileageReviewController } from './mileage.controller'
import { PaymentsController } from './payments.controller'
import { BreakGlassController, PrivacyController } from './privacy.controller'
import { ProblemFilter } from './problem'
import { SchemasController } from './schemas.controller'
import { ResultsController } from './results.controller'
import { ScopeOfCaller } from './scope'
import { StatementsController } from './statements.controller'
import { TilesController } from './tiles.controller'
import { MySurveysController, SurveysController } from './surveys.controller'
import { VerifyController } from './verify.controller'
import { WebController } from './web.controller'

/** HTTP for devices, citizens, agencies and analysts. Every route has a rule that says who may use it; without one it is closed. */
@Module({
  imports: [PipelineModule, PaymentsModule],
  controllers: [
    AuthController,
    DevicesController,
    EnrolmentController,
    StatementsController,
    VerifyController,
    WebController,
    PaymentsController,
    CitizensController,
    DisputesController,
    AgenciesController,
    DraftsController,
    MileageController,
    MileageReviewController,
    PrivacyController,
    BreakGlassController,
    SchemasController,
    MdsController,
    TilesController,
    DashboardController,
    ExportsController,
    ResultsController,
    SurveysController,
    MySurveysController,
  ],
  providers: [
    Address,
    // In this order: who asks, and whether they may.
    { provide: APP_GUARD, useClass: Authentication },
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_INTERCEPTOR, useClass: ScopeOfCaller },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
export class ApiModule {}
