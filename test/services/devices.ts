import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync } from 'mqtt'

/** The value of a variable that infra/services.sh exports. Throws where it is absent, and says what to do. */
export function fromServices(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: eval "$(infra/services.sh start DIR)" first (CONTRIBUTING.md)`)
  return value
}

/** Makes devices known to Mosquitto under one token, and resolves when it lets the last one in: within 10 s, or it throws. */
export async function admitDevices(devices: readonly string[], token: string): Promise<void> {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
  for (const device of devices)
    execFileSync('mosquitto_passwd', ['-b', fromServices('MOSQUITTO_PASSWORD_FILE'), device, token], { env })
  process.kill(Number(fromServices('MOSQUITTO_PID')), 'SIGHUP')
  const last = { username: devices[devices.length - 1], password: token, reconnectPeriod: 0 }
  for (let triesLeft = 100; ; triesLeft--) {
    try {
      return await (await connectAsync(fromServices('MQTT_URL'), last)).endAsync(true)
    } catch (error) {
      if (triesLeft === 0) throw error
      await delay(100)
    }
  }
}
