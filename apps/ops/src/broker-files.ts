import { type DeviceId } from '#kernel'

/** A device's id has 8 to 40 characters: shorter names are ours and other servers'. */
const DEVICE = /^[a-z0-9-]{8,40}$/

const ours = (
  traccarTopic: string,
): string => `# Made by \`roadmeter devices sync\`: who may say and hear what. A device that is not here may do nothing, whatever its certificate.

# Ours. The name is shorter than any device id (8 to 40 characters), so no device can ever be called that.
user ingest
# It writes where devices do to take away what they have retained.
topic readwrite roadmeter/v1/+/batch
topic readwrite roadmeter/v1/+/state
topic readwrite owntracks/+/+
topic readwrite owntracks/+/+/event
topic write roadmeter/v1/+/receipt
topic write roadmeter/v1/+/context
${traccarTopic ? forwarder(traccarTopic) : ''}`

/** Still of ingest, then of the server that forwards. */
const forwarder = (topic: string): string => `topic readwrite ${topic}

# A Traccar server that forwards.
user traccar
topic write ${topic}
`

const rulesOf = (id: DeviceId): string => `
user ${id}
topic write roadmeter/v1/${id}/batch
topic write roadmeter/v1/${id}/state
topic read roadmeter/v1/${id}/receipt
topic read roadmeter/v1/${id}/context
topic write owntracks/${id}/+
topic write owntracks/${id}/+/event
`

/**
 * Mosquitto's files for the devices that may sign in. Lines of names that are no device's (ingest, traccar) stay as they are
 * in the password file; a device that has no password there (it signs in by certificate) has its rules all the same.
 */
export function brokerFiles(
  accounts: readonly { id: DeviceId; password: string | null }[],
  before: { passwords: string },
  /** Where a Traccar server forwards to; empty: none does. */
  traccarTopic: string,
): { passwords: string; acl: string } {
  const others = before.passwords.split('\n').filter((line) => line && !DEVICE.test(line.split(':')[0]))
  const devices = accounts.flatMap(({ id, password }) => (password ? [`${id}:${password}`] : []))
  return {
    passwords: [...others, ...devices].map((line) => `${line}\n`).join(''),
    acl: ours(traccarTopic) + accounts.map(({ id }) => rulesOf(id)).join(''),
  }
}
