import { createHash, timingSafeEqual } from 'node:crypto'
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
  NotFoundException,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { type FastifyRequest } from 'fastify'
import { type AgencyId, type DeviceId } from '#kernel'
import { CLOCK, SETTINGS_OF_PROCESS, type Clock, type Settings } from '#runtime'
import { ACCESS_RULE } from '#runtime/module'
import {
  bearerOf,
  isDeviceToken,
  isLongUnseen,
  noteSeen,
  sessionOf,
  type Principal,
  type Role,
  type SignedIn,
  Store,
} from '#store'
import { Address } from './identity/address'
import { sessionCookie } from './identity/cookies'

/** Who may use a route: everyone, the device that the path names, a Traccar server that forwards, or people of these roles. */
export type AccessRule = 'everyone' | 'device' | 'forwarder' | readonly Role[]

/** Declares who may use a route or a controller. A route without a rule is refused. */
export const Access = (rule: AccessRule) => SetMetadata(ACCESS_RULE, rule)

const FRESH = 'roadmeter:fresh'
/** How long ago a person may have proved to be it where money or policy is decided. */
export const FRESH_MS_MAX = 300_000

/**
 * Declares that a route decides about money or policy: a session must have been proved within five minutes. Answered otherwise with
 * 401 and the code STEP_UP (RFC 9470): /auth/login?fresh&return=... asks again. A token is proved with every request.
 */
export const Fresh = () => SetMetadata(FRESH, true)

/** Who asks, as far as what they showed holds. */
export type Caller =
  | { readonly kind: 'nobody'; readonly because: string }
  | { readonly kind: 'person'; readonly who: SignedIn; readonly withCookie: boolean }
  | { readonly kind: 'device'; readonly device: DeviceId }
  | { readonly kind: 'forwarder' }

export type Request = FastifyRequest & { caller?: Caller }

/** Whoever signed in; only on routes whose rule names roles. */
export const Who = createParamDecorator((_: unknown, context: ExecutionContext): SignedIn | undefined => {
  const { caller } = context.switchToHttp().getRequest<Request>()
  return caller?.kind === 'person' ? caller.who : undefined
})

export const ruleOf = (reflector: Reflector, context: ExecutionContext) =>
  reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [context.getHandler(), context.getClass()])

/** Finds out who asks. Refuses nobody: that is the next guard's. */
@Injectable()
export class Authentication implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Store) private readonly store: Store,
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>()
    // Whoever asks is nobody yet: a machine finds out who.
    request.caller = await this.store.within({ as: 'machine' }, () =>
      this.caller(request, ruleOf(this.reflector, context)),
    )
    return true
  }

  private async caller(request: Request, rule: AccessRule | undefined): Promise<Caller> {
    if (rule === undefined || rule === 'everyone') return nobody('nobody is asked who they are here')
    const token = bearer(request)
    if (rule === 'device' || rule === 'forwarder') return this.machine(request, rule, token ?? basicPassword(request))
    const session = token === undefined ? request.cookies[sessionCookie(this.settings).name] : undefined
    const given = token ?? session
    if (!given) return nobody(SIGN_IN)
    const span = { idleMs: this.settings.sessionIdleMs, spanMs: this.settings.sessionSpanMs }
    const now = this.clock.now()
    const who = await this.store.reading((tx) =>
      token === undefined ? sessionOf(tx, given, span, now) : bearerOf(tx, given, now),
    )
    const mine = who?.session
    if (mine && isLongUnseen(mine, span, now)) await this.store.transaction((tx) => noteSeen(tx, mine.id, now))
    if (who) return { kind: 'person', who, withCookie: token === undefined }
    return nobody(token === undefined ? 'your session is over: sign in again' : 'the token is not known, or over')
  }

  private async machine(request: Request, rule: 'device' | 'forwarder', token: string | undefined): Promise<Caller> {
    if (!token) return nobody(SIGN_IN)
    if (rule === 'forwarder')
      return isForwarder(token, this.settings)
        ? { kind: 'forwarder' }
        : nobody('the token is not of a server that forwards')
    const { device } = request.params as { device: DeviceId }
    return (await this.store.reading((tx) => isDeviceToken(tx, device, token)))
      ? { kind: 'device', device }
      : nobody('the token is not of this device')
  }
}

const SIGN_IN = 'sign in, or send a token: Authorization: Bearer ...'
const nobody = (because: string): Caller => ({ kind: 'nobody', because })

/** Somebody signed in too long ago for what they want to do. */
export class StepUpRequired extends UnauthorizedException {
  constructor() {
    super('this decides about money or policy: sign in once more, at /auth/login?fresh')
    this.name = 'STEP_UP'
  }
}

/** Deny by default: what has no rule is for nobody. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Address) private readonly address: Address,
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const rule = ruleOf(this.reflector, context)
    const request = context.switchToHttp().getRequest<Request>()
    if (!rule) throw new ForbiddenException('this route is closed')
    if (!isSafe(request.method) && hasSessionCookie(request, this.settings) && !cameFromUs(request, this.address.url))
      throw new ForbiddenException('this was asked for by a page that is not ours')
    if (rule === 'everyone') return true
    const caller = request.caller!
    if (caller.kind === 'nobody') throw new UnauthorizedException(caller.because)
    if (typeof rule === 'string') {
      if (caller.kind !== rule) throw new UnauthorizedException(`this is for a ${rule}`)
      return true
    }
    if (caller.kind !== 'person') throw new UnauthorizedException(SIGN_IN)
    const { who } = caller
    if (!rule.includes(who.role)) throw new ForbiddenException(`this is for ${rule.join(' and ')}, you are ${who.role}`)
    const scope = scopeOf(request)
    if (who.scopes && !who.scopes.some((granted) => granted === scope || granted === scope.replace(/^.*:/, '*:')))
      throw new ForbiddenException(`the token is not for this: it lacks ${scope}`)
    const isFresh = this.reflector.getAllAndOverride<boolean | undefined>(FRESH, [
      context.getHandler(),
      context.getClass(),
    ])
    if (isFresh && who.session && this.clock.now() - who.session.provedAt > FRESH_MS_MAX) throw new StepUpRequired()
    return true
  }
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

const hasSessionCookie = (request: Request, settings: Settings): boolean =>
  request.headers.authorization === undefined && request.cookies[sessionCookie(settings).name] !== undefined

/**
 * Whether a page of ours asked. Every browser of today says where a request comes from (Fetch Metadata) to https and to this machine;
 * the Origin is for the others. What shows a session's cookie and says neither is refused.
 */
function cameFromUs({ headers, host }: Request, url: string): boolean {
  if (headers['sec-fetch-site'] !== undefined) return headers['sec-fetch-site'] === 'same-origin'
  const { origin } = headers
  if (!origin || !URL.canParse(origin)) return false
  return origin === new URL(url).origin || new URL(origin).host === host
}

/** What a limited token must be granted: `statements:read` of GET /v1/statements, `drafts:write` of POST /v1/agencies/:agency/drafts/... */
export function scopeOf(request: { method: string; routeOptions: { url?: string } }): string {
  const [area = 'pages'] = (request.routeOptions.url ?? '')
    .split('/')
    .filter((part) => part && part !== 'v1' && part !== 'agencies' && !part.startsWith(':'))
  return `${area.split(/[:.]/)[0] || 'pages'}:${isSafe(request.method) ? 'read' : 'write'}`
}

export const bearer = (request: FastifyRequest): string | undefined =>
  /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]

/** Everybody's business is the own agency. */
export function ownAgency(who: Principal, agency: AgencyId): void {
  // The same answer as for an agency that doesn't exist: nobody learns which others there are.
  if (who.agency !== agency) throw new NotFoundException('there is no such agency')
}

/** The OwnTracks app knows no other way: its password is the device's token. */
export const basicPassword = (request: FastifyRequest): string | undefined => {
  const given = /^Basic ([A-Za-z0-9+/=]+)$/.exec(request.headers.authorization ?? '')?.[1]
  return (
    given &&
    Buffer.from(given, 'base64')
      .toString()
      .replace(/^[^:]*:/, '')
  )
}

const sameText = (a: string, b: string): boolean =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())

/** Whether this is what a Traccar server signs in with. */
export const isForwarder = (token: string | undefined, { traccarPassword }: Settings): boolean =>
  token !== undefined && traccarPassword !== '' && sameText(token, traccarPassword)
