import { randomBytes } from 'node:crypto'
import {
  Controller,
  ForbiddenException,
  Get,
  Header,
  HttpCode,
  Inject,
  NotFoundException,
  Post,
  Query,
  Req,
  Res,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { CLOCK, SETTINGS_OF_PROCESS, type Clock, type Settings } from '#runtime'
import {
  beginSession,
  beginSignIn,
  endEverySession,
  endSession,
  sessionOf,
  Store,
  takeSignIn,
  type Subject,
} from '#store'
import { Access } from '../access'
import { AsMachine } from '../scope'
import { Address } from './address'
import { clearCookie, sessionCookie, setCookie, signInCookie } from './cookies'
import { Provider } from './provider'

const SIGN_IN_MS = 600_000

/** How people sign in, and out: at the city's identity provider, or by the link that they were handed where there is none. */
@ApiTags('signing in')
@AsMachine('whoever signs in is nobody yet')
@Controller()
export class AuthController {
  private provider: Provider | null = null

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Address) private readonly address: Address,
  ) {}

  /**
   * To the identity provider, and from there back to the path `return`. With `fresh` the provider asks again, whoever is signed in:
   * what an answer of STEP_UP asks for.
   */
  @Get('auth/login')
  @Access('everyone')
  @Header('cache-control', 'no-store')
  async login(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('return') returnTo?: unknown,
    @Query('fresh') fresh?: unknown,
  ): Promise<void> {
    const { url } = this.address
    // The provider leads back to the address that it knows: begin there, or the browser won't show the cookie again.
    if (request.host !== new URL(url).host)
      return void (await reply.redirect(`${url}${pathWithin(request.url, url)}`, 303))
    const begun = await this.providerOfCity().begin(fresh !== undefined)
    const browser = randomBytes(32).toString('base64url')
    const { state, nonce, verifier } = begun
    const signIn = { state, browser, nonce, verifier, fresh: fresh !== undefined, returnTo: pathWithin(returnTo, url) }
    if (!(await this.store.transaction((tx) => beginSignIn(tx, signIn, this.clock.now()))))
      throw new ServiceUnavailableException('too many are signing in: try again in a few minutes')
    setCookie(reply, signInCookie(this.settings), browser, SIGN_IN_MS)
    await reply.redirect(begun.address.href, 303)
  }

  /** Where the provider leads back to. */
  @Get('auth/callback')
  @Access('everyone')
  @Header('cache-control', 'no-store')
  async callback(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('state') state?: unknown,
  ): Promise<void> {
    const cookie = signInCookie(this.settings)
    const browser = request.cookies[cookie.name]
    const begun =
      browser && typeof state === 'string'
        ? await this.store.transaction((tx) => takeSignIn(tx, state, browser, this.clock.now()))
        : null
    clearCookie(reply, cookie)
    if (!begun || typeof state !== 'string')
      throw new UnauthorizedException('this sign-in was not begun in this browser, or too long ago: sign in again')
    const query = request.url.slice(request.url.indexOf('?'))
    const subject = await this.providerOfCity().finish(query, state, begun)
    if (!subject) throw new UnauthorizedException('the identity provider did not sign you in: sign in again')
    await this.open(request, reply, subject, begun.returnTo)
  }

  /** Signs a browser in with an access token: the link that a person was handed. Not where there is an identity provider. */
  @Get('enter')
  @Access('everyone')
  @Header('cache-control', 'no-store')
  async enter(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('token') given: unknown,
  ): Promise<void> {
    if (/^https?:/.test(this.settings.oidcIssuer))
      throw new NotFoundException('people sign in at the identity provider here: /auth/login')
    await this.open(request, reply, { token: typeof given === 'string' ? given : '' }, '/')
  }

  /** Ends this session; with `everywhere` those of every browser. */
  @Post('auth/logout')
  @Access('everyone')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async logout(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query('everywhere') everywhere?: unknown,
  ): Promise<void> {
    const cookie = sessionCookie(this.settings)
    const id = request.cookies[cookie.name]
    const ended = await this.store.transaction(async (tx) => {
      const who = id ? await sessionOf(tx, id, this.span(), this.clock.now()) : null
      if (!who?.session) return 0
      return everywhere === undefined ? endSession(tx, who.session.id) : endEverySession(tx, who.session.id)
    })
    clearCookie(reply, cookie)
    // A form of ours goes on to the first page; a script is told.
    if (request.headers.accept?.includes('text/html')) await reply.redirect('/', 303)
    else await reply.send({ ended })
  }

  private async open(
    request: FastifyRequest,
    reply: FastifyReply,
    who: Subject | { token: string },
    returnTo: string,
  ): Promise<void> {
    const id = randomBytes(32).toString('base64url')
    const cookie = sessionCookie(this.settings)
    const terms = { replaces: request.cookies[cookie.name], span: this.span() }
    const opened = await this.store.transaction((tx) => beginSession(tx, id, who, terms, this.clock.now()))
    if (!opened && 'token' in who) throw new UnauthorizedException('the token is not known')
    if (!opened && 'subject' in who)
      throw new ForbiddenException(
        `you are signed in at the identity provider, and nobody has let you in here yet: your agency grants access to subject ${who.subject}`,
      )
    setCookie(reply, cookie, id, this.settings.sessionSpanMs)
    await reply.redirect(returnTo, 303)
  }

  private span() {
    const { sessionIdleMs, sessionSpanMs } = this.settings
    return { idleMs: sessionIdleMs, spanMs: sessionSpanMs }
  }

  private providerOfCity(): Provider {
    if (!this.settings.oidcIssuer)
      throw new NotFoundException('there is no identity provider here: open the link that you were handed')
    return (this.provider ??= new Provider(this.settings, this.address.url))
  }
}

/** A path of ours, whatever was asked for: nobody is led elsewhere by a link that names us. */
export function pathWithin(asked: unknown, url: string): string {
  if (typeof asked !== 'string' || !asked.startsWith('/') || !URL.canParse(asked, url)) return '/'
  const { origin, pathname, search } = new URL(asked, url)
  // A path that begins with two slashes would name a host once more.
  return origin === new URL(url).origin && !pathname.startsWith('//') ? `${pathname}${search}` : '/'
}
