import { InputError } from '#kernel'
import { type Log } from './log'

/**
 * Runs a process: an InputError ends it with its one sentence on standard error and exit status 2, any other error with
 * its stack and status 1.
 */
export function run(main: () => Promise<void>): void {
  // Whoever read along has closed the pipe: there is nobody left to tell.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  main().catch((error: unknown) => {
    process.stderr.write(
      error instanceof InputError ? `roadmeter: ${error.message}\n` : `${(error as Error)?.stack ?? String(error)}\n`,
    )
    process.exit(error instanceof InputError ? 2 : 1)
  })
}

/** Nest's own log lines, in our log: errors and warnings stay such, its start-up chatter is debug. */
export const frameworkLog = (log: Log) => ({
  log: (message: unknown, context?: unknown) => log.debug({ context }, String(message)),
  debug: (message: unknown, context?: unknown) => log.debug({ context }, String(message)),
  verbose: (message: unknown, context?: unknown) => log.trace({ context }, String(message)),
  warn: (message: unknown, context?: unknown) => log.warn({ context }, String(message)),
  error: (message: unknown, ...rest: unknown[]) => log.error({ rest: rest.map(String) }, String(message)),
  fatal: (message: unknown, ...rest: unknown[]) => log.fatal({ rest: rest.map(String) }, String(message)),
})

/** Turns what `listen` says of a port that is taken into a sentence. */
export function listenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return new InputError('PORT_IN_USE', `port ${port} at ${host} is in use by another program`)
  if (code === 'EACCES') return new InputError('PORT_REFUSED', `port ${port} at ${host} may not be opened by this user`)
  return error
}
