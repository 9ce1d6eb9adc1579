import { createServer, type Server } from 'node:http'
import { type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { openLog } from './log'
import { type Metrics } from './metrics'
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

/** Shows Prometheus the metrics of a process that has pages for the world, on a port that the world isn't shown. Closed by whoever opened it. */
export function serveMetrics(metrics: Metrics, { httpHost, healthPort }: Settings): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    )
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, httpHost, healthPort)))
    server.listen(healthPort, httpHost, () => resolve(server))
  })
}
