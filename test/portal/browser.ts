import AxeBuilder from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { digest } from '#kernel'
import { CHROMIUM } from './pilot'

/** The account of the demo fleet's first driver (libs/fleet). */
export const CITIZEN = 'account-0001'

/** Without a browser there is nothing to see. */
export const describeInBrowser: (name: string, tests: () => void) => void = (name, tests) =>
  (CHROMIUM ? describe : describe.skip)(name, tests)

export const portalUrl = (): string => process.env.ROADMETER_PORTAL_URL!

/** The pilot's tokens follow from whom they are for; they open nothing but the demo (apps/pilot/src/city.ts). */
export const demoToken = (name: string): string => digest(['demo', name])

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader'] })

export interface Look {
  readonly theme: 'light' | 'dark'
  readonly width: 360 | 1280
  readonly language: 'en' | 'es'
}
/** Of two choices three times, in four looks: every pair of choices is seen. */
const ALL: readonly Look[] = [
  { theme: 'light', width: 360, language: 'es' },
  { theme: 'light', width: 1280, language: 'en' },
  { theme: 'dark', width: 360, language: 'en' },
  { theme: 'dark', width: 1280, language: 'es' },
]

/** ROADMETER_LOOKS=2, as in .ci/run: two opposite looks, so that every page is still seen in each of all choices. */
export const LOOKS: readonly Look[] =
  process.env.ROADMETER_LOOKS === '2' ? [{ theme: 'dark', width: 360, language: 'es' }, ALL[1]] : ALL

export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** What no page may do: reach another host, break the content security policy, write an error. Empty is good. */
  readonly faults: string[]
}

/** Opens a browser window for somebody who is signed in, or for nobody. */
export async function visit(browser: Browser, who: string | null, look: Look = LOOKS[1]): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: look.width, height: 900 },
    colorScheme: look.theme,
    locale: look.language,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(portalUrl()) && !/^(blob|data):/.test(url)) faults.push(`asked another host: ${url}`)
  })
  page.on('console', (message) => {
    // A browser writes every answer of 400 and more as an error; tests that want one look at the page.
    if (message.type() === 'error' && !/^Failed to load resource.*(40[0-9]|ERR_INTERNET)/.test(message.text()))
      faults.push(`${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => faults.push(error.stack ?? error.message))
  if (who !== null) {
    await page.goto(`${portalUrl()}/enter?token=${demoToken(who)}`)
    await settled(page)
  }
  return { context, page, faults }
}

/** Waits until a page is there, nothing on it is loading, and its map is drawn. Not for a quiet network: live news never are. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  await page.waitForTimeout(50)
  await page.locator('.rm-loading').first().waitFor({ state: 'detached' })
  if ((await page.locator('.rm-map__canvas').count()) > 0)
    await page.locator('.rm-map__canvas[data-drawn="yes"]').first().waitFor({ timeout: 30_000 })
}

/** What axe finds wrong with a page as it stands, and whether it is wider than its window. */
export async function flaws(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))
  const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  return (over as number) > 0 ? [...found, `wider than its window by ${over} px`] : found
}

/** Distinct colours in the pixels of the first map: a blank one has one or two. */
export async function mapColours(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('.rm-map canvas')
    const copy = document.createElement('canvas')
    copy.width = canvas.width
    copy.height = canvas.height
    const pen = copy.getContext('2d')
    pen.drawImage(canvas, 0, 0)
    const { data } = pen.getImageData(0, 0, copy.width, copy.height)
    const seen = new Set()
    for (let i = 0; i < data.length; i += 16) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2])
    return seen.size
  })()`)) as number
}
