import { type IncomingHttpHeaders } from 'node:http'
import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { LANGUAGES, type Language } from '#policy'

/** What the portal keeps when somebody chooses a language in it (apps/web/src/shared/words). It names nobody. */
const KEPT = /(?:^|;\s*)roadmeter-language=(\w+)/

/** What an answer in the reader's language depends on, besides its address. */
export const VARY = 'accept-language, cookie'

const isLanguage = (text: unknown): text is Language => LANGUAGES.some((language) => language === text)

/** The language of a page: the one that is `asked` for by its address (`?lang=es`), or the reader's kept choice, or their browser's. */
export function languageOf({ cookie = '', ...headers }: IncomingHttpHeaders, asked?: unknown): Language {
  // RFC 9110, 12.5.4: the highest quality first, in their order where it is the same.
  const wanted = (headers['accept-language'] ?? '')
    .split(',')
    .map((range) => ({
      tag: range.trim().split(/[-;]/)[0].toLowerCase(),
      quality: Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1),
    }))
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  return [asked, KEPT.exec(cookie)?.[1], ...wanted.map(({ tag }) => tag)].find(isLanguage) ?? 'en'
}

/** The reader's language; says in the answer that it depends on it. */
export const ReadersLanguage = createParamDecorator((_: unknown, context: ExecutionContext): Language => {
  const http = context.switchToHttp()
  const { headers, query } = http.getRequest<FastifyRequest<{ Querystring: { lang?: unknown } }>>()
  http.getResponse<FastifyReply>().header('vary', VARY)
  return languageOf(headers, query.lang)
})
