import { Inject, Module, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common'
import { openBroker, subscribeBroker, type BatchDoor, type Message } from '#messaging'
import { LOG, Readiness, SETTINGS_OF_PROCESS, type Log, type Settings } from '#runtime'
import { isDeviceToken, Store } from '#store'
import { Accept } from './accept'
import { PipelineModule } from './pipeline.module'

/** Where batches come in over MQTT: at a broker of our own, or as a subscriber of the one that the settings name. */
@Module({ imports: [PipelineModule] })
export class IngestModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private door: BatchDoor | null = null

  constructor(
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
    @Inject(Accept) private readonly accept: Accept,
    @Inject(Store) private readonly store: Store,
    @Inject(LOG) private readonly log: Log,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  /** Where devices connect to. */
  get url(): string {
    return this.door?.url ?? ''
  }

  async onApplicationBootstrap(): Promise<void> {
    const { mqttUrl, mqttUsername, mqttPassword, mqttConnections, mqttHost, mqttPort } = this.settings
    const handle = async (message: Message) => (await this.accept.message(message)).receipt
    this.door = mqttUrl
      ? await subscribeBroker({
          url: mqttUrl,
          username: mqttUsername,
          password: mqttPassword,
          connections: mqttConnections,
          handle,
          log: this.log,
        })
      : await openBroker({
          host: mqttHost,
          port: mqttPort,
          authenticate: (device, token) => this.store.transaction((tx) => isDeviceToken(tx, device, token)),
          handle,
          log: this.log,
        })
    const { door } = this
    this.readiness.add('MQTT', () => door.answers())
    this.log.info({ url: this.url }, 'taking batches')
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.door?.close()
  }
}
