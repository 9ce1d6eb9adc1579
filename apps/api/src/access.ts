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
import { type AgencyId } from '#kernel'
import { ACCESS_RULE, SETTINGS_OF_PROCESS, type Settings } from '#runtime'
import { isDeviceToken, principalOf, type Principal, type Role, Store } from '#store'

/** Who may use a route: everyone, the device that the path names, a Traccar server that forwards, or people of these roles. */
export type AccessRule = 'everyone' | 'device' | 'forwarder' | readonly Role[]

/** Declares who may use a route or a controller. A route without a rule is refused. */
export const Access = (rule: AccessRule) => SetMetadata(ACCESS_RULE, rule)

/** Behind https a browser keeps the cookie to this very host and to https (RFC 6265bis, `__Host-`). */
export const sessionCookie = ({ publicUrl }: Pick<Settings, 'publicUrl'>): { name: string; secure: boolean } =>
  /^https:/i.test(publicUrl) ? { name: '__Host-roadmeter', secure: true } : { name: 'roadmeter', secure: false }

type Request = FastifyRequest & { principal?: Principal }

/** Whoever signed in; only on routes whose rule names roles. */
export const Who = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Request>().principal,
)

/** Deny by default: what has no rule is for nobody. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Store) private readonly store: Store,
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [
      context.getHandler(),
      context.getClass(),
    ])
    if (rule === 'everyone') return true
    const request = context.switchToHttp().getRequest<Request>()
    const machine = rule === 'device' || rule === 'forwarder'
    const token =
      bearer(request) ?? (machine ? basicPassword(request) : request.cookies[sessionCookie(this.settings).name])
    if (!rule) throw new ForbiddenException('this route is closed')
    if (!token) throw new UnauthorizedException('sign in, or send a token: Authorization: Bearer ...')
    if (rule === 'forwarder') {
      const { traccarPassword } = this.settings
      if (!traccarPassword || !sameText(token, traccarPassword))
        throw new UnauthorizedException('the token is not of a server that forwards')
      return true
    }
    if (rule === 'device') {
      const { device } = request.params as { device: string }
      if (!(await this.store.transaction((tx) => isDeviceToken(tx, device, token))))
        throw new UnauthorizedException('the token is not of this device')
      return true
    }
    const principal = await this.store.transaction((tx) => principalOf(tx, token))
    if (!principal) throw new UnauthorizedException('the token is not known')
    if (!rule.includes(principal.role))
      throw new ForbiddenException(`this is for ${rule.join(' and ')}, you are ${principal.role}`)
    request.principal = principal
    return true
  }
}

const bearer = (request: FastifyRequest): string | undefined =>
  /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]

/** Everybody's business is the own agency. */
export function ownAgency(who: Principal, agency: AgencyId): void {
  // The same answer as for an agency that doesn't exist: nobody learns which others there are.
  if (who.agency !== agency) throw new NotFoundException('there is no such agency')
}

/** The OwnTracks app knows no other way: its password is the device's token. */
const basicPassword = (request: FastifyRequest): string | undefined => {
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
