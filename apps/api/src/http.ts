import cookie from '@fastify/cookie'
import statics from '@fastify/static'
import { type Type, type DynamicModule } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { EVIDENCE_BYTES_MAX } from '#contracts'
import { frameworkLog, listenError, type Log, type Settings } from '#runtime'
import { webBuild } from './web.controller'
import { Store, subjectsOf } from '#store'
import { Address } from './identity/address'
import { demoProvider, refuseDemoElsewhere } from './identity/demo'
import { DEMO_ISSUER, DEMO_PATH } from './identity/provider'
import { limitRates } from './limits'

/** Evidence of 5 MiB in base64, and a little around it. */
const BODY_BYTES_MAX = 7 * 1024 * 1024 + 64 * 1024
/** Everything that a page needs is in it or comes from us. */
const CONTENT_POLICY =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** Serves a module over HTTP until it is closed. Throws InputError where the port can't be had. */
export async function serve(
  module: Type | DynamicModule,
  settings: Settings,
  log: Log,
): Promise<{ app: NestFastifyApplication; url: string }> {
  if (settings.oidcIssuer === DEMO_ISSUER) refuseDemoElsewhere(settings)
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    // Exactly as many as there are: one more would let anybody say where they come from.
    trustProxy: (_, hop) => hop < settings.proxyHops,
    // Whoever watches events would keep us from closing for as long as they watch.
    forceCloseConnections: true,
  })
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    // What goes wrong in opening ends the process with one sentence; Nest would say it too, with a stack.
    logger: false,
    rawBody: true,
    abortOnError: false,
  })
  // Batches may come in CBOR; whoever takes them reads the bytes.
  app.useBodyParser('application/cbor', { bodyLimit: BODY_BYTES_MAX })
  app.useLogger(frameworkLog(log))
  await app.register(cookie)
  await limitRates(app, settings, log)
  const web = webBuild()
  // Named by their content, so they never change.
  if (web)
    await app.register(statics, {
      root: `${web}/assets`,
      prefix: '/assets/',
      preCompressed: true,
      immutable: true,
      maxAge: '365d',
      index: false,
      decorateReply: false,
    })
  adapter
    .getInstance()
    .addContentTypeParser(
      ['image/jpeg', 'image/png', 'image/webp', 'application/pdf'],
      { parseAs: 'buffer', bodyLimit: EVIDENCE_BYTES_MAX },
      (_request, body, done) => done(null, body),
    )
  // No name of ours holds a NUL, and PostgreSQL takes none in a text.
  adapter.getInstance().addHook('onRequest', (request, reply, done) => {
    if (/%00/.test(request.url))
      void reply
        .code(400)
        .type('application/problem+json; charset=utf-8')
        .send({ type: 'about:blank', title: 'an address holds no NUL', status: 400, code: 'ADDRESS' })
    else done()
  })
  const isHttps = /^https:/i.test(settings.publicUrl)
  adapter.getInstance().addHook('onSend', (_request, reply, payload, done) => {
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', CONTENT_POLICY)
    // To ourselves in full: where a browser says no more of a request's origin than this, it is told from a stranger's by it.
    reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'same-origin')
    reply.header('cross-origin-opener-policy', 'same-origin').header('cross-origin-resource-policy', 'same-origin')
    if (!reply.hasHeader('permissions-policy'))
      reply.header('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
    if (isHttps) reply.header('strict-transport-security', 'max-age=63072000; includeSubDomains')
    done(null, payload)
  })
  let demo: Awaited<ReturnType<typeof demoProvider>> | undefined
  if (settings.oidcIssuer === DEMO_ISSUER)
    adapter.getInstance().addHook('onRequest', (request, reply, done) => {
      if (!request.url.startsWith(`${DEMO_PATH}/`)) return done()
      // It reads Node's own request, its body too.
      reply.hijack()
      demo!(request.raw, reply.raw).catch((error: unknown) => {
        log.error({ error: (error as Error)?.message }, 'the demo of an identity provider failed')
        reply.raw.destroy()
      })
    })
  const description = new DocumentBuilder()
    .setTitle('Roadmeter')
    .setDescription('Pay-per-mile road use: batches in, statements out')
    .addBearerAuth()
    .build()
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description), {
    jsonDocumentUrl: 'openapi.json',
  })
  const { httpHost, httpPort } = settings
  try {
    await app.listen(httpPort, httpHost)
  } catch (error) {
    await app.close().catch(() => undefined)
    throw listenError(error, httpHost, httpPort)
  }
  const url = settings.publicUrl || (await app.getUrl()).replace(/127\.0\.0\.1|\[::1\]/, 'localhost')
  app.get(Address).url = url
  if (settings.oidcIssuer === DEMO_ISSUER) {
    const store = app.get(Store)
    demo = await demoProvider(url, settings.oidcClientId, () => store.transaction((tx) => subjectsOf(tx, DEMO_ISSUER)))
  }
  log.info({ url }, 'serving')
  return { app, url }
}
