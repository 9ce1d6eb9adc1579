/** A browser as far as signing in needs one: it keeps cookies, follows where it is led and says which page asks. */
export class Browser {
  readonly cookies = new Map<string, string>()
  /** Where it was led, one after the other. */
  trail: string[] = []

  constructor(readonly url: string) {}

  async go(path: string, init: RequestInit = {}): Promise<Response> {
    let at = new URL(path, this.url)
    let request = init
    this.trail = []
    for (let led = 0; led < 20; led++) {
      this.trail.push(at.href)
      const answer = await fetch(at, {
        ...request,
        redirect: 'manual',
        headers: {
          ...(request.headers as Record<string, string>),
          ...(this.cookies.size
            ? { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
            : {}),
        },
      })
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
        if (value === '' || /expires=Thu, 01 Jan 1970/i.test(cookie)) this.cookies.delete(name)
        else this.cookies.set(name, value)
      }
      const location = answer.headers.get('location')
      if (!location || answer.status < 300 || answer.status > 399) return answer
      await answer.arrayBuffer()
      at = new URL(location, at)
      request = {}
    }
    throw new Error(`led in a circle: ${this.trail.join(' ')}`)
  }

  /** What our own page would send. */
  post(path: string, body?: unknown): Promise<Response> {
    return this.go(path, {
      method: 'POST',
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  }

  /** Signs in at the demo's identity provider as somebody. */
  async signIn(subject: string, path = '/auth/login?return=/v1/me'): Promise<Response> {
    const choice = await this.go(path)
    if (!this.trail.at(-1)!.includes('/idp/choose/')) return choice
    return this.go(this.trail.at(-1)!, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ subject }).toString(),
    })
  }

  /** The same in a first word: the body, where it is JSON. */
  async json(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await this.go(path)
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
}
