import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { saveAccount, saveAgency, saveDevice, saveVehicle, type Store } from '#store'
import { openStore } from '../faults/cluster'
import { Servers } from '../faults/servers'
import { freePort, letIn, Process } from '../services/processes'

export interface LoadDevice {
  readonly id: DeviceId
  readonly token: string
}

/** PostgreSQL, Redis and Mosquitto of its own, one ingest process, and devices that Mosquitto lets in, each with a vehicle. */
export class IngestStand {
  private constructor(
    readonly servers: Servers,
    readonly store: Store,
    readonly ingest: Process,
    private readonly folder: string,
  ) {}

  static async open(devices: readonly LoadDevice[]): Promise<IngestStand> {
    const servers = Servers.start('real')
    Object.assign(process.env, servers.environment)
    const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-bench-'))
    const store = await openStore(servers.databaseUrl, folder)
    const [agency, account] = ['bench-city' as AgencyId, 'bench-account' as AccountId]
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: agency, name: 'Bench City' })
      await saveAccount(tx, { id: account, agency, name: 'Bench' })
      for (const { id, token } of devices) {
        const vehicle = `vehicle-of-${id}` as VehicleId
        await saveVehicle(tx, { vehicle, account, name: id, vehicleClass: 'car' })
        await saveDevice(tx, { id, vehicle, token })
      }
    })
    await letIn(devices)
    const { DATABASE_URL, MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD } = servers.environment
    const ingest = new Process('ingest', await freePort(), {
      DATABASE_URL,
      MQTT_URL,
      MQTT_USERNAME,
      MQTT_PASSWORD,
      ROADMETER_OPERATOR_KEY: path.join(folder, 'operator.key'),
      ROADMETER_KEY_FILE: path.join(folder, 'location.key'),
      ROADMETER_LOG: 'warn',
    })
    await ingest.start()
    return new IngestStand(servers, store, ingest, folder)
  }

  async close(): Promise<void> {
    await this.ingest.kill()
    await this.store.dataSource.destroy()
    this.servers.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
