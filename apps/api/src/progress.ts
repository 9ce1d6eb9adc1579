import { Observable } from 'rxjs'

/** How far a job has come, as an event. */
export interface ProgressEvent {
  readonly data: readonly Progress[]
}
export interface Progress {
  readonly id: string
  readonly trips: number
  readonly tripsDone: number
  readonly isDone: boolean
}

const POLL_MS = 500
/** A browser asks again by itself where its stream ends: none stays for ever. */
const STREAM_MS_MAX = 10 * 60_000

/** Looks again and again, and tells what has changed, until all is done, nobody listens, or it took too long. */
export const untilDone = (look: () => Promise<readonly Progress[]>): Observable<ProgressEvent> =>
  new Observable((listener) => {
    let told = ''
    let timer: NodeJS.Timeout | undefined
    let left = STREAM_MS_MAX / POLL_MS
    const again = async () => {
      const data = await look()
      const text = JSON.stringify(data)
      if (text !== told) listener.next({ data })
      told = text
      if (data.every(({ isDone }) => isDone) || --left <= 0) listener.complete()
      else if (!listener.closed) timer = setTimeout(() => void again().catch((error) => listener.error(error)), POLL_MS)
    }
    again().catch((error) => listener.error(error))
    return () => clearTimeout(timer)
  })
