import { type BrowserServer } from 'playwright-core'
import { closePilot, type Pilot } from './pilot'

export default async function teardown(): Promise<void> {
  const { portalPilot, portalBrowser } = globalThis as { portalPilot?: Pilot; portalBrowser?: BrowserServer }
  await portalBrowser?.close()
  if (portalPilot) await closePilot(portalPilot)
}
