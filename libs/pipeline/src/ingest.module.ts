import { readFileSync } from 'node:fs'
import { Inject, Module, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common'
import { InputError, type DeviceId } from '#kernel'
import {
  openBroker,
  subscribeBroker,
  type BatchDoor,
  type DeviceGate,
  type Message,
  type NewsHandler,
} from '#messaging'
import { CLOCK, LOG, Metrics, SETTINGS_OF_PROCESS, type Clock, type Log, type Settings } from '#runtime'
import { Readiness } from '#runtime/module'
import { admitDevice, deviceVersions, raiseAlarms, Store } from '#store'
import { Accept } from './accept'
import { Announcer } from './announcer'
import { NEWS } from './news'
import { PipelineModule } from './pipeline.module'

/** Where messages come in over MQTT: at a broker of our own, or as a subscriber of the one that the settings name. */
@Module({ imports: [PipelineModule] })
export class IngestModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private door: BatchDoor | null = null
  private announcer: Announcer | null = null

  constructor(
    @Inject(SETTINGS_OF_PROCESS) private readonly settings: Settings,
    @Inject(Accept) private readonly accept: Accept,
    @Inject(Store) private readonly store: Store,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEWS) private readonly tell: NewsHandler,
    @Inject(LOG) private readonly log: Log,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  /** Where devices connect to. */
  get url(): string {
    return this.door?.url ?? ''
  }

  async onApplicationBootstrap(): Promise<void> {
    const { mqttUrl, mqttUsername, mqttPassword, mqttConnections, mqttInstance } = this.settings
    const { mqttHost, mqttPort, traccarTopic, traccarPassword } = this.settings
    const { accept, store, tell, log, metrics } = this
    const handle = async (message: Message) => (await accept.message(message)).receipt
    this.door = mqttUrl
      ? await subscribeBroker({
          url: mqttUrl,
          username: mqttUsername,
          password: mqttPassword,
          connections: mqttConnections,
          instance: mqttInstance || undefined,
          handle,
          tell,
          traccarTopic,
          forgotten: () => this.announcer?.again(),
          log,
          metrics,
        })
      : await openBroker({
          host: mqttHost,
          port: mqttPort,
          gate: this.gate(),
          handle,
          tell,
          traccar: traccarTopic && traccarPassword ? { topic: traccarTopic, token: traccarPassword } : undefined,
          tls: tlsOf(this.settings),
          log,
          metrics,
        })
    const { door } = this
    this.announcer = new Announcer(store, door, accept, log)
    this.announcer.start()
    this.readiness.add('MQTT', () => door.answers())
    log.info({ url: this.url }, 'taking batches')
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.announcer?.stop()
    await this.door?.close()
  }

  private gate(): DeviceGate {
    const { store } = this
    return {
      admit: (device, token) => store.transaction((tx) => admitDevice(tx, device, token)),
      versions: (devices) => store.transaction((tx) => deviceVersions(tx, devices)),
      contested: (device: DeviceId) =>
        void store
          .transaction((tx) =>
            raiseAlarms(
              tx,
              [{ device, kind: 'SESSIONS', detail: 'its sessions ended each other again and again' }],
              this.clock.now(),
            ),
          )
          .catch((error: Error) => this.log.error({ device, error: error.message }, 'could not record an alarm')),
    }
  }
}

/** The files that the settings name, read. Throws InputError where one is missing or can't be read. */
function tlsOf({ mqttCertificate, mqttKey, mqttAuthority }: Settings) {
  if (!mqttCertificate && !mqttKey && !mqttAuthority) return undefined
  if (!mqttCertificate || !mqttKey)
    throw new InputError('MQTT_TLS', 'TLS needs both ROADMETER_MQTT_CERTIFICATE and ROADMETER_MQTT_KEY')
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw new InputError('MQTT_TLS', `a file for TLS can't be read: ${(error as Error).message}`)
    }
  }
  return { cert: read(mqttCertificate), key: read(mqttKey), ca: mqttAuthority ? read(mqttAuthority) : undefined }
}
