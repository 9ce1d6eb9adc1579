import { readFileSync } from 'node:fs'
import * as oidc from 'openid-client'
import { InputError } from '#kernel'
import { type Settings } from '#runtime'
import { type Subject } from '#store'

/** Clocks of two machines may differ by this much. */
const CLOCK_TOLERANCE_S = 30
/** The provider's keys and addresses are asked for again after this. */
const DISCOVERED_MS = 3_600_000
const TIMEOUT_S = 10
/** Where the demo's identity provider is mounted on our own port, so that it works on any free one and under our content policy. */
export const DEMO_PATH = '/idp'
/** Issuer of the people that the pilot brings along, wherever it listens. */
export const DEMO_ISSUER = 'demo'

/** What a sign-in keeps until the browser comes back. */
export interface Begun {
  readonly address: URL
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** The identity provider as we see it: by OpenID Connect, with PKCE, state and nonce. */
export class Provider {
  private known: { at: number; configuration: Promise<oidc.Configuration> } | null = null

  /** `url` is how browsers reach us. */
  constructor(
    private readonly settings: Pick<Settings, 'oidcIssuer' | 'oidcClientId' | 'oidcClientSecretFile'>,
    private readonly url: string,
  ) {}

  get isDemo(): boolean {
    return this.settings.oidcIssuer === DEMO_ISSUER
  }

  /** Where the browser goes to sign in. `fresh`: the provider must ask again, whoever is signed in there. */
  async begin(fresh: boolean): Promise<Begun> {
    const configuration = await this.discovered()
    const verifier = oidc.randomPKCECodeVerifier()
    const state = oidc.randomState()
    const nonce = oidc.randomNonce()
    const address = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.returnUrl,
      scope: 'openid profile',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(fresh || this.isDemo ? { prompt: 'login' } : {}),
      ...(fresh ? { max_age: '0' } : {}),
    })
    return { address, state, nonce, verifier }
  }

  /**
   * Who came back, or null where the provider's answer doesn't hold: its signature, issuer, audience, times, nonce, or that it asked
   * again where it had to. `query` is that of the address the browser came back to.
   */
  async finish(
    query: string,
    state: string,
    { nonce, verifier, fresh }: { nonce: string; verifier: string; fresh: boolean },
  ): Promise<Subject | null> {
    const configuration = await this.discovered()
    try {
      const answer = await oidc.authorizationCodeGrant(configuration, new URL(`${this.returnUrl}${query}`), {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
        // Signing in again takes a person a moment: so much may lie between the asking and the coming back.
        ...(fresh ? { maxAge: FRESH_S } : {}),
      })
      const claims = answer.claims()
      return claims ? { issuer: this.settings.oidcIssuer, subject: claims.sub } : null
    } catch (error) {
      // Their keys may have been changed since we asked for them: the next sign-in asks again.
      this.known = null
      if (isRefusal(error)) return null
      throw unreachable(error)
    }
  }

  private get returnUrl(): string {
    return `${this.url}/auth/callback`
  }

  private async discovered(): Promise<oidc.Configuration> {
    const now = performance.now()
    if (!this.known || now - this.known.at > DISCOVERED_MS) this.known = { at: now, configuration: this.discover() }
    try {
      return await this.known.configuration
    } catch (error) {
      this.known = null
      throw unreachable(error)
    }
  }

  private discover(): Promise<oidc.Configuration> {
    const { oidcIssuer, oidcClientId } = this.settings
    const issuer = new URL(this.isDemo ? `${this.url}${DEMO_PATH}` : oidcIssuer)
    const secret = this.secret()
    return oidc.discovery(
      issuer,
      oidcClientId,
      { [oidc.clockTolerance]: CLOCK_TOLERANCE_S },
      secret ? oidc.ClientSecretBasic(secret) : oidc.None(),
      {
        timeout: TIMEOUT_S,
        execute: [oidc.enableNonRepudiationChecks, ...(isLoopback(issuer) ? [oidc.allowInsecureRequests] : [])],
      },
    )
  }

  private secret(): string | null {
    const { oidcClientSecretFile: file } = this.settings
    if (!file || this.isDemo) return null
    try {
      return readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new InputError(
        'OIDC_SECRET',
        `the secret in ROADMETER_OIDC_CLIENT_SECRET_FILE can't be read: ${(error as NodeJS.ErrnoException).code}`,
      )
    }
  }
}

const FRESH_S = 300

export const isLoopback = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** What the provider said no to, or what didn't hold, as against a provider that can't be asked. */
const isRefusal = (error: unknown): boolean => {
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) return true
  const { code } = error as { code?: string }
  return code !== undefined && code !== 'OAUTH_TIMEOUT' && code.startsWith('OAUTH_')
}

const unreachable = (error: unknown): unknown =>
  error instanceof InputError
    ? error
    : new InputError('IDENTITY_PROVIDER', 'the identity provider does not answer: try again in a moment')
