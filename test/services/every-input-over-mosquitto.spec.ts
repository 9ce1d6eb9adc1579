import { migratedDatabase } from '../databases'
import { openWorld } from '../harness'
import { everyInput } from '../scenarios/every-input.suite'
import { admitDevices, fromServices } from './devices'

describe('every input gets its answer, behind Mosquitto', () => {
  let database: Awaited<ReturnType<typeof migratedDatabase>>
  afterAll(() => database?.drop())
  everyInput(async (now) => {
    database = await migratedDatabase(fromServices('DATABASE_URL'))
    const world = await openWorld(now, {
      DATABASE_URL: database.url,
      MQTT_URL: fromServices('MQTT_URL'),
      MQTT_USERNAME: fromServices('MQTT_USERNAME'),
      MQTT_PASSWORD: fromServices('MQTT_PASSWORD'),
      ROADMETER_MQTT_CONNECTIONS: '4',
    })
    const url = fromServices('MQTT_DEVICES_URL')
    return { world, url, isOurs: false, admit: (device, token) => admitDevices([device], token) }
  })
})
