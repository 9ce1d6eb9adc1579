import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Controller, Get, Header, Inject, NotFoundException } from '@nestjs/common'
import { ApiBearerAuth, ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger'
import { type Me } from '#contracts'
import { instant } from '#kernel'
import { LINE, type Line } from '#pipeline'
import { SETTINGS_OF_PROCESS, type Settings } from '#runtime'
import { accountById, agencyById, officersOf, ROLES, type SignedIn, Store } from '#store'
import { Access, FRESH_MS_MAX, Who } from './access'

/** What the build made of apps/web: beside the compiled api, or in the checkout that a test runs in. */
export const webBuild = (): string | undefined =>
  ['../../../web', '../../../dist/web']
    .map((place) => resolve(__dirname, place))
    .find((folder) => existsSync(`${folder}/index.html`))

/** Stricter than our server-rendered pages, which hold their style: no markup of ours says how it looks. */
const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** The portal: one page at every address of its rooms. What anybody gets to see in it is the api's to decide. */
@ApiTags('portal')
@Controller()
export class WebController {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(LINE) private readonly line: Line,
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
  ) {}

  @Get(['/', 'my', 'my/*', 'agency', 'agency/*', 'analyst', 'analyst/*'])
  @Access('everyone')
  @ApiExcludeEndpoint()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @Header('content-security-policy', CONTENT_POLICY)
  // A citizen's telephone may be a device (apps/web/src/citizen/phone.tsx), and the browser asks before it is.
  @Header('permissions-policy', 'camera=(), geolocation=(self), microphone=(), payment=(), usb=()')
  page(): string {
    const folder = webBuild()
    if (!folder) throw new NotFoundException('the portal was not built: npm run build')
    return readFileSync(`${folder}/index.html`, 'utf8')
  }

  /** Who is signed in, and how their city writes money, distances and times. */
  @Get('v1/me')
  @Access(ROLES)
  @ApiBearerAuth()
  @Header('cache-control', 'no-store')
  async me(@Who() who: SignedIn): Promise<Me> {
    const { sessionSpanMs, sessionIdleMs, oidcIssuer } = this.settings
    const { session } = who
    const now = this.line.clock.now()
    return this.store.reading(async (tx) => {
      const [agency, account, officers, tariff] = await Promise.all([
        agencyById(tx, who.agency),
        who.account && accountById(tx, who.account),
        who.person ? officersOf(tx, who.agency) : [],
        this.line.reference.tariff(tx, who.agency),
      ])
      const officer = officers.find(({ person, role }) => person === who.person && role === who.role)
      const policy = tariff.inForce(instant(now)) ?? tariff.documents[0] ?? null
      return {
        role: who.role,
        name: account ? account.name : officer ? officer.name : who.name,
        person: who.person ?? null,
        by: who.by,
        scopes: who.scopes,
        session: session && {
          beganAt: session.beganAt,
          endsAt: Math.min(session.beganAt + sessionSpanMs, session.seenAt + sessionIdleMs),
          freshUntil: session.provedAt + FRESH_MS_MAX,
        },
        signIn: oidcIssuer ? 'provider' : 'link',
        agency: { id: who.agency, name: agency?.name ?? who.agency },
        account: account ? { id: account.id, name: account.name } : null,
        tariff: policy && {
          id: policy.id,
          name: policy.name,
          currency: policy.currency,
          coin: policy.billing.coin,
          unit: policy.billing.unit,
          timeZone: policy.timeZone,
        },
      }
    })
  }
}
