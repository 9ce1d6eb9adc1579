import { type FastifyReply } from 'fastify'
import { type Settings } from '#runtime'

type Public = Pick<Settings, 'publicUrl'>

/** Behind https a browser keeps a cookie to this very host and to https (RFC 6265bis, `__Host-`). */
const cookieOf = (what: string, { publicUrl }: Public): { name: string; secure: boolean } =>
  /^https:/i.test(publicUrl) ? { name: `__Host-${what}`, secure: true } : { name: what, secure: false }

/** Holds the id of a session, and nothing else. */
export const sessionCookie = (settings: Public) => cookieOf('roadmeter', settings)
/** Ties a sign-in that is under way to the browser that it began in. */
export const signInCookie = (settings: Public) => cookieOf('roadmeter-sign-in', settings)

export function setCookie(
  reply: FastifyReply,
  { name, secure }: { name: string; secure: boolean },
  value: string,
  maxAgeMs: number,
): void {
  reply.setCookie(name, value, {
    httpOnly: true,
    secure,
    // A page elsewhere may lead here, and the provider leads back here; what changes anything asks where it came from.
    sameSite: 'lax',
    path: '/',
    maxAge: Math.ceil(maxAgeMs / 1000),
  })
}

export const clearCookie = (reply: FastifyReply, { name, secure }: { name: string; secure: boolean }): void =>
  void reply.clearCookie(name, { httpOnly: true, secure, sameSite: 'lax', path: '/' })
