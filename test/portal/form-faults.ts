import { type Locator, type Page } from 'playwright-core'
import { eventually } from './browser'

export interface Wrong {
  /** What is typed, by the name of the field. */
  readonly typed?: Readonly<Record<string, string>>
  /** How many fields are wrong then. */
  readonly faults: number
}

/**
 * Submits a form as it is filled wrongly: all faults are told at once, beside their fields and in the summary, which has the focus and
 * leads to each field; what was typed is kept, and nothing is sent. Throws what is not so.
 */
export async function showsAllFaults(page: Page, form: Locator, { typed = {}, faults }: Wrong): Promise<void> {
  const sent: string[] = []
  const hear = (request: { method(): string; url(): string }) => {
    if (request.method() !== 'GET') sent.push(`${request.method()} ${request.url()}`)
  }
  page.on('request', hear)
  for (const [name, text] of Object.entries(typed)) await form.locator(`[name="${name}"]`).fill(text)
  await form.locator('button[type=submit]').click()
  const said = form.locator('.govuk-error-summary li')
  await eventually(async () => {
    expect(await said.count()).toBe(faults)
    expect(await form.locator('.govuk-error-message').count()).toBe(faults)
    // Before it no other form of this page was submitted: there is one summary.
    expect(await page.evaluate(`document.activeElement.matches('.govuk-error-summary')`)).toBe(true)
  })
  const beside = await form.locator('.govuk-error-message').allTextContents()
  for (const one of await said.locator('a').all()) {
    await one.click()
    const reached = (await page.evaluate(
      `document.activeElement.closest('.govuk-form-group--error')?.querySelector('.govuk-error-message').textContent ?? null`,
    )) as string | null
    expect(reached).toContain(await one.textContent())
    expect(beside).toContain(reached)
  }
  for (const [name, text] of Object.entries(typed))
    expect([name, await form.locator(`[name="${name}"]`).inputValue()]).toEqual([name, text])
  page.off('request', hear)
  expect(sent).toEqual([])
}
