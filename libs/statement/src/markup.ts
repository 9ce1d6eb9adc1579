/** HTML that is safe to insert as it stands. Only `html` makes it. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Content = string | number | Markup | null | readonly Content[]

/** Template for HTML: everything inserted is escaped unless it is markup itself, so no text can be forgotten. */
export const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup =>
  new Markup(parts.reduce((text, part, i) => text + written(values[i - 1]) + part))

function written(content: Content): string {
  if (content === null) return ''
  if (content instanceof Markup) return content.text
  if (typeof content === 'object') return content.map(written).join('')
  return String(content).replace(/[&<>"']/g, (c) => ESCAPES[c])
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
