import { useCallback, useEffect, useRef, useState } from 'react'

/** A fault of an input, at its path in the document that was sent. */
export interface Fault {
  readonly path: string
  readonly expected: string
}

/** Why the api said no (RFC 9457), or that it could not be reached at all: status 0. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string,
    readonly faults: readonly Fault[] = [],
  ) {
    super(message)
  }
}

/** Told of every answer that says nobody is signed in, so that the shell can say it once. */
let onSignedOut: () => void = () => undefined
export const whenSignedOut = (told: () => void): void => void (onSignedOut = told)

async function ask(path: string, init: RequestInit): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...init })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Problem(0, 'the connection was lost', 'OFFLINE')
  }
  if (answer.ok) return answer
  const said = (await answer.json().catch(() => ({}))) as {
    title?: string
    detail?: string
    code?: string
    faults?: readonly Fault[]
  }
  // Money and policy are decided by somebody who has just proved to be it: the provider asks again, and leads back here.
  if (said.code === 'STEP_UP') location.assign(`/auth/login?fresh&return=${encodeURIComponent(location.pathname)}`)
  else if (answer.status === 401) onSignedOut()
  throw new Problem(answer.status, said.detail ?? said.title ?? answer.statusText, said.code ?? '', said.faults)
}

/** Reads a document. Throws Problem. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, { signal, headers: { accept: 'application/json' } })).json()) as T
}

/** Sends a document, or a file as it is, and reads the answer. Throws Problem. */
export async function send<T = void>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const isFile = body instanceof Blob
  const answer = await ask(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(isFile ? { 'content-type': body.type } : body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: isFile ? body : body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}

/** What a page asks of the api. `null` as a path asks nothing yet. */
export type Resource<T> = (
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly data: T }
  | { readonly state: 'failed'; readonly problem: Problem }
) & { readonly reload: () => void }

export function useGet<T>(path: string | null): Resource<T> {
  const [round, setRound] = useState(0)
  const [held, setHeld] = useState<{ path: string | null; data?: T; problem?: Problem }>({ path: null })
  useEffect(() => {
    if (path === null) return
    const stop = new AbortController()
    get<T>(path, stop.signal).then(
      (data) => stop.signal.aborted || setHeld({ path, data }),
      (error: unknown) =>
        stop.signal.aborted ||
        setHeld({ path, problem: error instanceof Problem ? error : new Problem(500, String(error), 'INTERNAL') }),
    )
    return () => stop.abort()
  }, [path, round])
  const reload = useCallback(() => setRound((n) => n + 1), [])
  if (path === null || held.path !== path) return { state: 'loading', reload }
  return held.problem
    ? { state: 'failed', problem: held.problem, reload }
    : { state: 'ready', data: held.data as T, reload }
}

/** Server-sent events of a path while the page is open: `told` gets each event's document. The browser reconnects by itself. */
export function useLive<T>(path: string | null, told: (document: T) => void): { isConnected: boolean } {
  const latest = useRef(told)
  latest.current = told
  const [isConnected, setConnected] = useState(false)
  useEffect(() => {
    if (path === null) return
    const source = new EventSource(path)
    source.onopen = () => setConnected(true)
    source.onerror = () => setConnected(false)
    source.onmessage = ({ data }) => latest.current(JSON.parse(data as string) as T)
    return () => source.close()
  }, [path])
  return { isConnected }
}
