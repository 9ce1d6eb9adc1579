import { chromium } from 'playwright-core'
import { CHROMIUM, openPilot } from './pilot'

/** One pilot city and one browser for all files of the portal's tests. */
export default async function setup(): Promise<void> {
  if (!CHROMIUM) return
  const pilot = await openPilot()
  const browser = await chromium.launchServer({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader'],
  })
  process.env.ROADMETER_PORTAL_URL = pilot.url
  process.env.ROADMETER_BROWSER_URL = browser.wsEndpoint()
  Object.assign(globalThis, { portalPilot: pilot, portalBrowser: browser })
}
