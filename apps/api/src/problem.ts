import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { InputError } from '#kernel'
import { LOG, type Log } from '#runtime'
import { FRESH_MS_MAX } from './access'
import { languageOf, VARY } from './language'
import { problemPage } from './pages'

/** Every error as problem+json (RFC 9457), or as a page for a browser: what was wrong and where, nothing of our inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOG) private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    const request = host.switchToHttp().getRequest<FastifyRequest>()
    const { status, detail, code, faults } = problemOf(error)
    if (status >= 500)
      this.log.error({ route: request.routeOptions?.url, error: (error as Error)?.message }, 'a request failed')
    if (request.headers.accept?.includes('text/html'))
      return void reply
        .code(status)
        .header('vary', VARY)
        .type('text/html; charset=utf-8')
        .send(
          problemPage(status, detail, languageOf(request.headers, (request.query as { lang?: unknown } | null)?.lang)),
        )
    if (code === 'STEP_UP')
      reply.header(
        'www-authenticate',
        `Bearer error="insufficient_user_authentication", max_age="${FRESH_MS_MAX / 1000}"`,
      )
    void reply
      .code(status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(
        JSON.stringify({
          type: 'about:blank',
          title: detail,
          status,
          code,
          faults: faults?.length ? faults : undefined,
        }),
      )
  }
}

/** Bad input is 400, unless another status says more. */
const STATUS: Readonly<Record<string, number>> = {
  NO_DISPUTE: 404,
  NO_STATEMENT: 404,
  NO_PAYMENT: 404,
  NO_PROVIDER: 404,
  NO_TRIP: 404,
  NO_DATASET: 404,
  NO_SURVEY: 404,
  NOT_RELEASED: 404,
  NO_VEHICLE: 404,
  PERIOD_CLOSED: 409,
  DISPUTED: 409,
  DISPUTE_DECIDED: 409,
  PAID: 409,
  NO_REQUEST: 404,
  FOUR_EYES: 403,
  NOT_APPROVER: 403,
  REQUEST_OLD: 409,
  FIXES_GONE: 410,
  LOCATION_GONE: 410,
  MONTH_OPEN: 409,
  EVALUATION_DIFFERS: 409,
  ANSWERED: 409,
  SURVEY_TAKEN: 409,
  SURVEY_CLOSED: 409,
  DIFFERENCE: 409,
  BUDGET: 409,
  EVIDENCE_SIZE: 413,
  EVIDENCE_TYPE: 415,
  PROVIDER: 502,
  PROVIDER_AWAY: 503,
  IDENTITY_PROVIDER: 502,
  BUSY: 503,
}

function problemOf(error: unknown): { status: number; detail: string; code: string; faults?: InputError['faults'] } {
  if (error instanceof InputError)
    return { status: STATUS[error.code] ?? 400, detail: error.message, code: error.code, faults: error.faults }
  if (error instanceof HttpException)
    return {
      status: error.getStatus(),
      detail: error.message,
      code: error.name.replace(/Exception$/, '').toUpperCase(),
    }
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode && statusCode < 500) return { status: statusCode, detail: message ?? 'bad request', code: 'REQUEST' }
  return { status: 500, detail: 'something went wrong here; it has been noted', code: 'INTERNAL' }
}
