import { type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { openLog } from './log'
import { type Settings } from './settings'
import { frameworkLog, listenError } from './start'

/** Runs a process without pages of its own: /healthz, /readyz and /metrics is all it answers, until it is told to stop. */
export async function serveHealth(module: Type, settings: Settings, process: string): Promise<void> {
  const log = openLog(settings, process)
  const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false, abortOnError: false })
  app.useLogger(frameworkLog(log))
  app.enableShutdownHooks()
  const { httpHost, healthPort } = settings
  try {
    await app.listen(healthPort, httpHost)
  } catch (error) {
    await app.close().catch(() => undefined)
    throw listenError(error, httpHost, healthPort)
  }
  log.info({ url: await app.getUrl() }, 'ready')
}
