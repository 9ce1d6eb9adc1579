import { existsSync } from 'node:fs'
import path from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { type VehicleId } from '#kernel'
import { saveVehicle } from '#store'
import { officers } from '../harness'
import { CHROMIUM } from '../portal/pilot'
import { openStory, type Story } from '../scenarios/story'
import { TARIFF } from '../scenarios/roads'

/** What runs a script where a text is taken for markup, an attribute, an address or a template. */
const SCRIPTS: readonly ((n: number) => string)[] = [
  (n) => `<script>__ran(${n})</script>`,
  (n) => `<img src=x onerror=__ran(${n})>`,
  (n) => `<svg onload=__ran(${n})>`,
  (n) => `<svg><script>__ran(${n})</script></svg>`,
  (n) => `<iframe srcdoc="<script>parent.__ran(${n})</script>"></iframe>`,
  (n) => `<a href=javascript:__ran(${n})>x</a>`,
  (n) => `<details open ontoggle=__ran(${n})>x</details>`,
  (n) => `<input autofocus onfocus=__ran(${n})>`,
  (n) => `<video><source onerror=__ran(${n})></video>`,
  (n) => `<body onload=__ran(${n})>`,
  (n) => `<math><mtext><img src=x onerror=__ran(${n})></mtext></math>`,
  (n) => `" onmouseover="__ran(${n})" autofocus onfocus="__ran(${n})" x="`,
  (n) => `{{constructor.constructor('__ran(${n})')()}}`,
  (n) => '${__ran(' + n + ')}',
  (n) => `<x-planted tabindex=0 autofocus onfocus=__ran(${n})>`,
  (n) => `<object data=javascript:__ran(${n})>`,
  (n) => `<form action=javascript:__ran(${n})><button autofocus>x`,
  (n) => `<audio src=x onerror=__ran(${n})>`,
  (n) => `<style onload=__ran(${n})></style>`,
  (n) => `&lt;img src=x onerror=__ran(${n})&gt;`,
]
/** What may end the place that a text stands in. */
const ENDS = ['', '">', "'>", '</title>', '</textarea>', '</script>', '-->', '`}', '</style>', '<![CDATA[', '\\">', '%22%3E', '&quot;>', '</td></tr>', '</a>'] // prettier-ignore

const ALL = ENDS.flatMap((end, e) => SCRIPTS.map((script, s) => script && end + script(e * SCRIPTS.length + s)))
/** XSS_PAYLOADS=300, as npm run test:isolation does: all of them, on every page. Else a few, where most texts are shown. */
const MANY = Math.min(ALL.length, Number(process.env.XSS_PAYLOADS ?? 20))
const STEP = ALL.length / MANY
const TEXTS = Array.from({ length: MANY }, (_, i) => `planted-${i} ${ALL[Math.floor(i * STEP)]}`)

/** Pages that show most of what is stored. */
const MOST = /vehicles$|\.html$|disputes\/|planted-2027(\/edit|\/diff)?$|plain$|statements\/\w+$/

const BUILD = existsSync(path.join(__dirname, '../../dist/web/index.html'))
if (!CHROMIUM || !BUILD) console.warn('SKIPPED: stored scripts need Chromium and the portal that npm run build makes')

/** What stands in the document as more than text. */
const PLANTED = `[...document.querySelectorAll('*')].filter((e) => e.localName === 'x-planted' ||
  (/^(script|style)$/.test(e.localName) && e.textContent.includes('__ran')) ||
  [...e.attributes].some((a) => a.value.includes('__ran') && /^(on|href$|src$|srcdoc$|action$|formaction$|data$|xlink:href$|style$)/i.test(a.name))).map((e) => e.outerHTML.slice(0, 200))`

;(CHROMIUM && BUILD ? describe : describe.skip)(`${MANY} scripts stored wherever somebody may write`, () => {
  let story: Story
  let browser: Browser
  let draft: string
  const pages: { readonly who: string; readonly address: string }[] = []

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    const [rule, ...rules] = TARIFF.rules
    const policy = {
      ...TARIFF,
      name: TEXTS[0],
      description: TEXTS.join(' ').slice(0, 2000),
      zones: { east: { ...TARIFF.zones.east, name: TEXTS[2] } },
      rules: [{ ...rule, price: { free: TEXTS[1] } }, ...rules].map((one, i) => ({ ...one, name: TEXTS[(3 + i) % MANY] })),
      caps: TARIFF.caps.map((cap) => ({ ...cap, name: TEXTS[7 % MANY] })),
    } // prettier-ignore
    story = await openStory('2026-10-05T12:00:00+02:00', { policies: [policy] })
    const { world, people } = story
    await world.store.transaction(async (tx) => {
      await tx.run(`update metering.agency set name = $2 where id = $1`, [people.agency, TEXTS[8 % MANY]])
      await tx.run(`update metering.account set name = $2 where id = $1`, [people.account, TEXTS[9 % MANY]])
      for (const [i, name] of TEXTS.entries())
        await saveVehicle(tx, {
          vehicle: (i ? `car-${i}` : people.vehicle) as VehicleId,
          account: people.account,
          name,
          vehicleClass: 'car',
        })
    })
    await story.drive('trip', 7, 7.06, '2026-10-06T08:00:00+02:00')
    const statement = await story.close('2026-10')
    const { trip } = statement.journeys[0]
    const dispute = await story.as('citizen', 'POST', `/v1/statements/${statement.id}/disputes`, { trip, reason: 'other', text: TEXTS.join('\n').slice(0, 1900) }) // prettier-ignore
    expect(dispute.status).toBe(201)
    // A dispute takes a hundred notes: some texts in each.
    for (let i = 0; i < MANY; i += 12) {
      const note = await story.as(i % 24 ? 'agency' : 'citizen', 'POST', `/v1/disputes/${dispute.body.id}/notes`, { text: TEXTS.slice(i, i + 12).join('\n') }) // prettier-ignore
      expect([note.status, note.body]).toEqual([201, expect.anything()])
    }
    const { ed } = await officers(world, people.agency, { ed: 'editor' })
    draft = 'planted-2027'
    const written = await fetch(
      `${world.httpUrl}/v1/agencies/${people.agency}/drafts/${draft}?reason=${encodeURIComponent(TEXTS[0])}`,
      {
        method: 'PUT',
        headers: { authorization: `Bearer ${ed}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          ...policy,
          id: draft,
          startsAt: '2027-06-01T00:00:00+02:00',
          supersedes: [TARIFF.id],
          rules: [
            ...TEXTS.map((name, i) => ({
              id: `r${i}`,
              name,
              match: { weightKg: { from: 10 * i, to: 10 * i + 10 } },
              price: i % 2 ? { free: name } : { perKm: '0.1' },
            })),
            ...policy.rules.slice(-1),
          ],
          caps: [],
        }),
      },
    )
    expect([written.status, await written.text()]).toEqual([200, expect.anything()])
    const my = ['/my', '/my/statements', `/my/statements/${statement.id}`, `/my/statements/${statement.id}/2026-10-06`, '/my/trips?month=2026-10', `/my/trips/${trip}`, `/my/trips/${trip}/question`, '/my/pay', '/my/vehicles', `/my/vehicles/${people.vehicle}`, '/my/quote', '/my/disputes', '/my/privacy', '/plain', `/v1/statements/${statement.id}.html`] // prettier-ignore
    const office = ['/agency', '/agency/disputes', `/agency/disputes/${dispute.body.id}`, '/agency/reviews', '/agency/policies', `/agency/policies/${TARIFF.id}`] // prettier-ignore
    const desk = [`/agency/policies/${draft}`, `/agency/policies/${draft}/edit`, `/agency/policies/${draft}/diff`, `/agency/policies/${draft}/backtest`] // prettier-ignore
    for (const [who, addresses] of [
      [people.tokens.citizen, my],
      [people.tokens.agency, office],
      [ed, desk],
    ] as const)
      for (const address of addresses) if (MANY >= 300 || MOST.test(address)) pages.push({ who, address })
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    await story?.end()
  })

  /** A window in which nothing but the pages themselves keeps scripts away: the policy that would is switched off. */
  async function open(): Promise<{ page: Page; ran: Set<number>; end: () => Promise<void> }> {
    const context = await browser.newContext({ bypassCSP: true, viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const ran = new Set<number>()
    await page.exposeFunction('__ran', (n: number) => void ran.add(n))
    page.on('dialog', (dialog) => void dialog.dismiss())
    return { page, ran, end: () => context.close() }
  }

  it('are scripts: a page that trusts them runs most of them', async () => {
    const { page, ran, end } = await open()
    for (const text of TEXTS) {
      // Each has its own page: what one leaves open would swallow the next. A refresh may take the page away meanwhile.
      await page.setContent(`<p>${text}</p>`, { waitUntil: 'load' }).catch(() => undefined)
      await page.waitForTimeout(10)
    }
    await page.waitForTimeout(200)
    await end()
    expect(ran.size).toBeGreaterThan(MANY * 0.4)
  }, 300_000)

  it('are nothing but text on every page that shows them', async () => {
    const shown = new Set<string>()
    const wrong: string[] = []
    let who = ''
    let window = await open()
    for (const { who: asks, address } of pages) {
      if (asks !== who) {
        await window.end()
        window = await open()
        await window.page.goto(`${story.world.httpUrl}/enter?token=${asks}`)
        who = asks
      }
      const { page, ran } = window
      await page.goto(story.world.httpUrl + address, { waitUntil: 'load' })
      await page.locator('h1').first().waitFor()
      await page.locator('.rm-loading').first().waitFor({ state: 'detached' })
      await page.waitForTimeout(150)
      const planted = (await page.evaluate(PLANTED)) as string[]
      if (planted.length > 0) wrong.push(`${address}: ${planted.join(' | ')}`)
      if (ran.size > 0) wrong.push(`${address}: ${[...ran].join()} ran`)
      ran.clear()
      const text = (await page.evaluate(`document.documentElement.innerText + [...document.querySelectorAll('input, textarea')].map((e) => e.value).join(' ')`)) as string // prettier-ignore
      for (const [marker] of text.matchAll(/planted-\d+/g)) shown.add(marker)
    }
    await window.end()
    expect(wrong).toEqual([])
    // Each was there to be seen.
    expect(TEXTS.filter((text) => !shown.has(text.split(' ')[0]))).toEqual([])
  }, 400_000)
})
