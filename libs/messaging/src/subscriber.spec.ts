import { openBroker, subscribeBroker } from '#messaging'
import { openLog } from '#runtime'

const log = openLog({ logLevel: 'silent' }, 'test')
const nobody = { username: 'ingest', password: 'hush', connections: 2, handle: async () => null, log }

// Against a real broker: test/services/messaging.spec.ts.
describe('a subscription', () => {
  it('to a broker that is not there names it, without credentials', async () => {
    const door = await openBroker({
      host: '127.0.0.1',
      port: 0,
      gate: { admit: async () => '1', versions: async (all) => new Map(all.map((one) => [one, '1'])) },
      handle: async () => null,
      log,
    })
    const { port } = new URL(door.url)
    await door.close()
    const attempt = subscribeBroker({ ...nobody, url: `mqtt://me:secret@127.0.0.1:${port}` })
    await expect(attempt).rejects.toMatchObject({
      name: 'InputError',
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining(`mqtt://127.0.0.1:${port} `),
    })
    await expect(attempt).rejects.not.toThrow(/secret|hush/)
  })

  it('to a broker that takes no subscribers, ours, fails at once', async () => {
    const door = await openBroker({
      host: '127.0.0.1',
      port: 0,
      gate: { admit: async () => '1', versions: async (all) => new Map(all.map((one) => [one, '1'])) },
      handle: async () => null,
      log,
    })
    await expect(subscribeBroker({ ...nobody, url: door.url })).rejects.toMatchObject({ name: 'InputError' })
    await door.close()
  })
})
