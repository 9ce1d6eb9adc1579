import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { digest } from '#kernel'
import { englishOn } from './english'
import { CHROMIUM } from './pilot'

/** The account of the demo fleet's first driver (libs/fleet). */
export const CITIZEN = 'account-0001'

/** Without a browser there is nothing to see. */
export const describeInBrowser: (name: string, tests: () => void) => void = (name, tests) =>
  (CHROMIUM ? describe : describe.skip)(name, tests)

export const portalUrl = (): string => process.env.ROADMETER_PORTAL_URL!

/** The pilot's tokens follow from whom they are for; they open nothing but the demo (apps/pilot/src/city.ts). */
export const demoToken = (name: string): string => digest(['demo', name])

/** The one browser of all files (setup.ts starts it). */
export const openBrowser = (): Promise<Browser> => chromium.connect(process.env.ROADMETER_BROWSER_URL!)

export interface Look {
  readonly theme: 'light' | 'dark'
  readonly width: 360 | 1280
  readonly language: 'en' | 'es'
}
/** Of two choices three times, in four looks: every pair of choices is seen. Maps are drawn anew where the theme changes: once. */
export const LOOKS: readonly Look[] = [
  { theme: 'light', width: 1280, language: 'en' },
  { theme: 'light', width: 360, language: 'es' },
  { theme: 'dark', width: 360, language: 'en' },
  { theme: 'dark', width: 1280, language: 'es' },
]

export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** What no page may do: reach another host, break the content security policy, write an error. Empty is good. */
  readonly faults: string[]
}

/** Opens a browser window for somebody who is signed in, or for nobody. */
export async function visit(browser: Browser, who: string | null, look: Look = LOOKS[0]): Promise<Visit> {
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
  await page.evaluate(STANDS)
}

/** Looks until what is expected of a page holds, because what an action asks for may load later. Fails as the last look did. */
export async function eventually(expected: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + EVENTUALLY_MS
  for (;;) {
    try {
      return void (await expected())
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
const EVENTUALLY_MS = 20_000

/** Three times in a row, so that what one answer asks for next has begun to load. */
const STANDS = `new Promise((stands, fell) => {
  let times = 0
  const end = performance.now() + 60_000
  const look = () => {
    const isStill = document.querySelector('h1') && !document.querySelector('.rm-loading')
      && [...document.querySelectorAll('.rm-map__canvas')].every((map) => map.dataset.drawn === 'yes')
    times = isStill ? times + 1 : 0
    if (times === 3) stands()
    else if (performance.now() > end) fell(new Error('this page never settles: ' + location.pathname))
    else setTimeout(look, 25)
  }
  look()
})`

/** Changes how a page that is open looks, as a reader does who turns the telephone, the lights or the language. */
export async function wear(page: Page, { theme, width, language }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
  await page.setViewportSize({ width, height: 900 })
  const chosen = page.locator('.rm-footer__choices select').first()
  if ((await chosen.inputValue()) !== language) await chosen.selectOption(language)
  await page.locator(`html[data-theme="${theme}"][lang="${language}"]`).waitFor({ state: 'attached' })
  await settled(page)
}

/** What is wrong with a page as it stands: by axe, and whether it is wider than its window. */
export async function flaws(page: Page): Promise<string[]> {
  // Once for each page that is loaded: it is half a megabyte.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe.source)
  const found = (await page.evaluate(`axe.run({ resultTypes: ['violations'], preload: false }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160))))`)) as string[]
  const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  return (over as number) > 0 ? [...found, `wider than its window by ${over} px`] : found
}

/** What is wrong with the page that is open in any look, each flaw with the look that has it. */
export async function flawsInEveryLook(page: Page, isMap = false): Promise<string[]> {
  const found: string[] = []
  for (const look of LOOKS) {
    await wear(page, look)
    const told = await flaws(page)
    if (look.language === 'es') told.push(...(await englishOn(page)))
    if (isMap && (await mapColours(page)) < 5) told.push('the map is blank')
    found.push(
      ...told.map((flaw) => `${page.url().slice(portalUrl().length)} ${Object.values(look).join(' ')}: ${flaw}`),
    )
  }
  return found
}

/** Reads pages as somebody, one after another; addresses that are found by going there come from `more`. All flaws and faults. */
export async function readAll(
  browser: Browser,
  who: string,
  pages: readonly PageToRead[],
  more: (page: Page) => Promise<readonly PageToRead[]> = async () => [],
): Promise<string[]> {
  const { context, page, faults } = await visit(browser, who)
  const found: string[] = []
  for (const [address, isMap] of [...pages, ...(await more(page))]) {
    await go(page, address)
    found.push(...(await flawsInEveryLook(page, isMap)))
  }
  await context.close()
  return [...found, ...faults]
}
/** Where a page is, and whether a map is on it. */
export type PageToRead = readonly [address: string, isMap?: boolean]

export async function go(page: Page, address: string): Promise<void> {
  await page.goto(portalUrl() + address)
  await settled(page)
}

/** Addresses that are found by going there, each by the first link that its selector finds on the page before. */
export async function follow(page: Page, from: string, ...selectors: readonly string[]): Promise<string[]> {
  await go(page, from)
  const found = [from]
  for (const selector of selectors) {
    await page.locator(selector).first().click()
    await page.waitForURL((url) => !found.includes(url.pathname))
    await settled(page)
    found.push(page.url().slice(portalUrl().length))
  }
  return found.slice(1)
}

/** Asks the api as one of the demo's people or devices; its answer must be good. */
export async function ask<T>(who: string, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(portalUrl() + path, {
    method,
    headers: {
      authorization: `Bearer ${demoToken(who)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path} as ${who}: ${answer.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}

export type Point = readonly [lon: number, lat: number]

/** A way that can be driven: the one that a quote takes, as a point every `stepM` metres. */
export async function realWay(who: string, from: Point, to: Point, stepM: number): Promise<Point[]> {
  const { pieces } = await ask<{ pieces: { line: Point[] }[] }>(who, 'POST', '/v1/quote', {
    from,
    to,
    at: Date.now(),
    vehicleClass: 'car',
  })
  const line = pieces.flatMap(({ line }) => line)
  const out: Point[] = [line[0]]
  let left = stepM
  for (let i = 1; i < line.length; i++) {
    const [[ax, ay], [bx, by]] = [line[i - 1], line[i]]
    const lengthM = Math.hypot((bx - ax) * 59_500, (by - ay) * 111_400)
    let at = left
    for (; at <= lengthM; at += stepM) out.push([ax + ((bx - ax) * at) / lengthM, ay + ((by - ay) * at) / lengthM])
    left = at - lengthM
  }
  return out
}

/** A drive of one of the demo's devices two hours ago, some two miles through the centre; with an odometer that shows so much for each fix. */
export async function drive(account: string, device: string, boot: number, odometerMm?: number): Promise<void> {
  const way = await realWay(account, [11.9746, 57.7089], [11.99, 57.69], 60)
  const from = Date.now() - 2 * 3_600_000
  await ask(device, 'POST', `/v1/devices/${device}/batches`, {
    v: 1,
    boot,
    seq: 0,
    trip: `drive-${boot}`,
    event: 'end',
    fixes: way.map(([lon, lat], i) => [from + i * 5_000, lat, lon, 5]),
    ...(odometerMm && {
      odometer: [
        [from, 50_000_000],
        [from + way.length * 5_000, 50_000_000 + way.length * odometerMm],
      ],
    }),
  })
}

/** A drive whose odometer shows twice as much, matched and held: nothing is charged for it yet. */
export async function holdTrip(account: string, device: string): Promise<void> {
  const held = () => ask<unknown[]>('agency', 'GET', '/v1/agencies/gothenburg/reviews')
  const before = (await held()).length
  await drive(account, device, 7, 120)
  await eventually(async () => expect((await held()).length).toBeGreaterThan(before))
}

/** Distinct colours in the pixels of the first map: a blank one has one or two. */
export async function mapColours(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('.rm-map canvas')
    if (!canvas) return 0
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
