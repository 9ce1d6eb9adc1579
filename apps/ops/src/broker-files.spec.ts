import { type DeviceId } from '#kernel'
import { brokerFiles } from './broker-files'

describe("Mosquitto's files", () => {
  const device = 'device-0001' as DeviceId
  const files = (traccarTopic: string) =>
    brokerFiles([{ id: device, password: 'p' }], { passwords: 'ingest:x\ndevice-gone:y\n' }, traccarTopic)
  /** The rules of one user. */
  const rulesOf = (acl: string, user: string) =>
    acl
      .split(/^user /m)
      .find((part) => part.startsWith(`${user}\n`))
      ?.split('\n')
      .filter((line) => line.startsWith('topic'))

  it('name the topic that the settings name for a Traccar server, for both of its ends', () => {
    const { acl } = files('fleet/positions')
    expect(rulesOf(acl, 'traccar')).toEqual(['topic write fleet/positions'])
    expect(rulesOf(acl, 'ingest')).toContain('topic readwrite fleet/positions')
  })

  it('let no Traccar server in where none is named', () => {
    const { acl } = files('')
    expect(rulesOf(acl, 'traccar')).toBeUndefined()
    expect(acl).not.toContain('traccar')
    expect(rulesOf(acl, 'ingest')).toHaveLength(6)
  })

  it('give a device its own topics alone, and keep the lines of others', () => {
    const { acl, passwords } = files('')
    expect(rulesOf(acl, device)!.every((rule) => rule.includes(device))).toBe(true)
    expect(passwords).toBe(`ingest:x\n${device}:p\n`)
  })
})
