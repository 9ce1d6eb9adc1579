import { rmSync } from 'node:fs'

/** What Ctrl-C waits for at most before the process ends anyway. */
const LEAVING_MS_MAX = 5_000
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const

const steps = new Set<() => Promise<unknown>>()
const folders = new Set<string>()
let leaving = false

/** Whether a signal has asked the process to end: what fails from then on fails because of it. */
export const isLeaving = (): boolean => leaving

/** `step` runs if a signal ends the process before the returned function has taken it back. */
export function beforeLeaving(step: () => Promise<unknown>): () => void {
  steps.add(step)
  return () => void steps.delete(step)
}

/** The folder is deleted when the process ends, however it ends, unless the returned function has taken it back. */
export function deletedAtTheEnd(folder: string): () => void {
  folders.add(folder)
  return () => void folders.delete(folder)
}

/** A signal ends the process in order, with status 130 (Ctrl-C) or 143; a second one at once. */
export function leaveOnSignals(): void {
  process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      const status = EXIT_OF_SIGNAL[signal]
      if (leaving) process.exit(status)
      leaving = true
      process.exitCode = status
      const limit = setTimeout(() => process.exit(status), LEAVING_MS_MAX)
      void Promise.allSettled([...steps].map((step) => step())).then(() => {
        clearTimeout(limit)
        process.exit(status)
      })
    })
}
