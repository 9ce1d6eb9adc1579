import { connectAsync } from 'mqtt'
import { DataSource, EntitySchema } from 'typeorm'

// The obvious way to take telematics in with the same stack: a message for each fix, and a save() for each message.

interface Fix {
  readonly id?: number
  readonly device: string
  readonly at: string
  readonly lat: number
  readonly lon: number
  readonly accuracy: number
}
const fixes = new EntitySchema<Fix>({
  name: 'naive_fix',
  columns: {
    id: { type: 'int', primary: true, generated: true },
    device: { type: 'text' },
    at: { type: 'bigint' },
    lat: { type: 'float8' },
    lon: { type: 'float8' },
    accuracy: { type: 'float4' },
  },
  indices: [{ columns: ['device', 'at'] }],
})

async function main(): Promise<void> {
  const { DATABASE_URL, MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD } = process.env
  const source = await new DataSource({
    type: 'postgres',
    url: DATABASE_URL,
    entities: [fixes],
    synchronize: true,
    poolSize: 10,
  }).initialize()
  const repository = source.getRepository(fixes)
  const client = await connectAsync(MQTT_URL!, { username: MQTT_USERNAME, password: MQTT_PASSWORD })
  let saved = 0
  client.on('message', (_topic, payload) => {
    void repository.save(JSON.parse(payload.toString()) as Fix).then(() => process.send!(++saved))
  })
  await client.subscribeAsync('roadmeter/v1/+/batch', { qos: 1 })
  process.send!('ready')
}

void main()
