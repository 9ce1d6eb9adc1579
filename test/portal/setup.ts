import { CHROMIUM, openPilot } from './pilot'

/** One pilot city for all files of the portal's tests. */
export default async function setup(): Promise<void> {
  if (!CHROMIUM) return
  const pilot = await openPilot()
  process.env.ROADMETER_PORTAL_URL = pilot.url
  ;(globalThis as { portalPilot?: unknown }).portalPilot = pilot
}
