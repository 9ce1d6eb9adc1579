import { closePilot, type Pilot } from './pilot'

export default async function teardown(): Promise<void> {
  const { portalPilot } = globalThis as { portalPilot?: Pilot }
  if (portalPilot) await closePilot(portalPilot)
}
