import {
  Controller,
  Get,
  Header,
  Inject,
  Injectable,
  Module,
  ServiceUnavailableException,
  SetMetadata,
} from '@nestjs/common'
import { Metrics } from './metrics'

/** Names the rule that lets a request in. A route without one is refused: see apps/api. */
export const ACCESS_RULE = 'roadmeter:access'

/**
 * What must answer before this process may be sent work: the database everywhere, the MQTT door of ingest, the bell of an
 * engine. Rooms add their own check when they open.
 */
@Injectable()
export class Readiness {
  private readonly checks = new Map<string, () => Promise<unknown>>()

  add(name: string, check: () => Promise<unknown>): void {
    this.checks.set(name, check)
  }

  /** Names of those that don't answer. */
  async failing(): Promise<string[]> {
    const asked = [...this.checks].map(async ([name, check]) => {
      try {
        await check()
        return []
      } catch {
        return [name]
      }
    })
    return (await Promise.all(asked)).flat()
  }
}

@Controller()
@SetMetadata(ACCESS_RULE, 'everyone')
class HealthController {
  constructor(
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  /** The process is alive. */
  @Get('healthz')
  healthz() {
    return { status: 'alive' }
  }

  /** It can be sent work: everything that it cannot work without answers. */
  @Get('readyz')
  async readyz() {
    const failing = await this.readiness.failing()
    if (failing.length) throw new ServiceUnavailableException(`no answer from ${failing.join(', ')}`)
    return { status: 'ready' }
  }

  /** Prometheus text format. Where there are roles, for the operator: the api answers Prometheus itself on a port of its own. */
  @Get('metrics')
  @SetMetadata(ACCESS_RULE, ['operator'])
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text() {
    return this.metrics.registry.metrics()
  }
}

@Module({ controllers: [HealthController], providers: [Readiness], exports: [Readiness] })
export class HealthModule {}
