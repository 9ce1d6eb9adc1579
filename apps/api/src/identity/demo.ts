import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type IncomingMessage, type ServerResponse } from 'node:http'
import type { Configuration, Provider } from 'oidc-provider'
import { InputError } from '#kernel'
import { type Settings } from '#runtime'
import { languageOf } from '../language'
import { PAGE_SAYS } from '../page-words'
import { page, escaped } from '../pages'
import { DEMO_PATH, isLoopback } from './provider'

const CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Somebody to be. */
export interface DemoPerson {
  readonly subject: string
  readonly name: string
  readonly role: string
  readonly agency: string
}

/** Anybody may be anybody there, so nothing that others could use may take its word. Throws InputError where they could. */
export function refuseDemoElsewhere(settings: Settings): void {
  const { databaseUrl, mqttUrl, redisUrl, publicUrl, httpHost } = settings
  const services = Object.entries({ DATABASE_URL: databaseUrl, MQTT_URL: mqttUrl, REDIS_URL: redisUrl })
    .filter(([, given]) => given !== '')
    .map(([name]) => name)
  const open = [
    ...services,
    ...(publicUrl && !isLoopback(new URL(publicUrl)) ? ['ROADMETER_PUBLIC_URL'] : []),
    ...(isLoopback(new URL(`http://${httpHost.includes(':') ? `[${httpHost}]` : httpHost}`))
      ? []
      : ['ROADMETER_HTTP_HOST']),
  ]
  if (open.length > 0)
    throw new InputError(
      'OIDC_DEMO',
      `ROADMETER_OIDC_ISSUER=demo lets anybody be anybody, so it is for this machine alone: unset ${open.join(' and ')}, or name your identity provider`,
    )
}

/**
 * An OpenID provider with `people` to choose from and no passwords, as a handler of Node's own requests below DEMO_PATH. Its keys are
 * made here and end with the process.
 */
export async function demoProvider(
  url: string,
  clientId: string,
  people: () => Promise<readonly DemoPerson[]>,
): Promise<(request: IncomingMessage, response: ServerResponse) => Promise<void>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const provider: Provider = await quietly(`${url}${DEMO_PATH}`, {
    clients: [
      {
        client_id: clientId,
        redirect_uris: [`${url}/auth/callback`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: 'none',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'demo', use: 'sig', alg: 'ES256' } as never] },
    cookies: {
      keys: [randomBytes(32).toString('hex')],
      names: { session: 'idp', interaction: 'idp-i', resume: 'idp-r' },
    },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    claims: { openid: ['sub'], profile: ['name'] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    pkce: { required: () => true },
    ttl: { Session: 43_200, Interaction: 600, Grant: 43_200, AuthorizationCode: 60, IdToken: 600, AccessToken: 600 },
    interactions: { url: (_, { uid }) => `${DEMO_PATH}/choose/${uid}` },
    renderError: (context, { error, error_description }) => {
      context.type = 'html'
      context.set('content-security-policy', CONTENT_POLICY)
      const language = languageOf(context.headers)
      const { failed, back } = PAGE_SAYS[language].choose
      context.body = page(
        failed,
        `<p lang="en">${escaped(error_description ?? error)}</p><p><a href="/">${back}</a></p>`,
        language,
      )
    },
    async findAccount(_, subject) {
      const person = (await people()).find((one) => one.subject === subject)
      return person && { accountId: subject, claims: () => ({ sub: subject, name: person.name }) }
    },
    // Whoever chose a person has agreed: there is nothing else to ask.
    async loadExistingGrant({ oidc: { client, session } }): Promise<InstanceType<Provider['Grant']>> {
      const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId })
      grant.addOIDCScope('openid profile')
      await grant.save()
      return grant
    },
  })
  const handle = provider.callback()

  return async (request, response) => {
    response.setHeader('content-security-policy', CONTENT_POLICY)
    response.setHeader('x-content-type-options', 'nosniff')
    response.setHeader('cache-control', 'no-store')
    const path = (request.url ?? '').split('?')[0].slice(DEMO_PATH.length)
    if (/^\/choose\/[\w-]+$/.test(path)) return choose(request, response)
    // oidc-provider finds where it is mounted by what was cut off.
    Object.assign(request, { originalUrl: request.url })
    request.url = request.url!.slice(DEMO_PATH.length) || '/'
    await handle(request, response)
  }

  async function choose(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = await people()
    const language = languageOf(request.headers)
    const { title, lead, none, roleOf, over } = PAGE_SAYS[language].choose
    try {
      await provider.interactionDetails(request, response)
      if (request.method === 'POST') {
        const subject = new URLSearchParams(await bodyOf(request)).get('subject')
        if (known.some((person) => person.subject === subject))
          return await provider.interactionFinished(request, response, { login: { accountId: subject! } })
      }
    } catch {
      // It was begun in another browser, or too long ago.
      response.writeHead(400, { 'content-type': 'text/html; charset=utf-8' })
      response.end(page(over.title, `<p>${over.what}</p><p>${over.todo}</p>`, language))
      return
    }
    const buttons = known.map(
      ({ subject, name, role, agency }) =>
        `<p><button name="subject" value="${escaped(subject)}">${escaped(name)}</button> <span class="sub">${roleOf(escaped(role), escaped(agency))}</span></p>`,
    )
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(
      page(title, `<p>${lead}</p><form method="post">${buttons.join('') || `<p>${none}</p>`}</form>`, language),
    )
  }
}

const BODY_BYTES_MAX = 4096

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const part of request.setEncoding('utf8')) {
    body += part as string
    if (body.length > BODY_BYTES_MAX) throw new InputError('BODY', 'the form is too long')
  }
  return body
}

/** It says on the console that it is no provider for production, which ours isn't: the user of a demo needn't read it twice. */
async function quietly(issuer: string, configuration: Configuration): Promise<Provider> {
  const { warn, info } = console
  Object.assign(console, { warn: () => undefined, info: () => undefined })
  try {
    // Only where it is used: it takes half a second to load, and is no part of a city's api.
    const { Provider: Made } = await import('oidc-provider')
    return new Made(issuer, configuration)
  } finally {
    Object.assign(console, { warn, info })
  }
}
