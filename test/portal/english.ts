import { type Page } from 'playwright-core'
import { PAGE_SAYS } from '../../apps/api/src/page-words'
import { en as agencyEn } from '../../apps/web/src/agency/words/en'
import { es as agencyEs } from '../../apps/web/src/agency/words/es'
import { en as analystEn } from '../../apps/web/src/analyst/words/en'
import { es as analystEs } from '../../apps/web/src/analyst/words/es'
import { en as citizenEn } from '../../apps/web/src/citizen/words/en'
import { es as citizenEs } from '../../apps/web/src/citizen/words/es'
import { en as sharedEn } from '../../apps/web/src/shared/words/en'
import { es as sharedEs } from '../../apps/web/src/shared/words/es'
import { en as statementEn } from '../../libs/statement/src/says'
import { es as statementEs } from '../../libs/statement/src/says-es'

const sentencesOf = (words: unknown): string[] =>
  typeof words === 'string' ? [words] : Object.values(words ?? {}).flatMap(sentencesOf)

const SPANISH = new Set([sharedEs, citizenEs, agencyEs, analystEs, statementEs, PAGE_SAYS.es].flatMap(sentencesOf))
/** What our pages say in English, with anything where a value stands. */
const ENGLISH = [sharedEn, citizenEn, agencyEn, analystEn, statementEn, PAGE_SAYS.en]
  .flatMap(sentencesOf)
  .filter((text) => !SPANISH.has(text) && text.replace(/\{\{.*?\}\}/g, '').replace(/[^a-z]/gi, '').length > 3)
  .map(
    (text) =>
      new RegExp(
        `^${text
          .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
          .replaceAll('{{count}}', '[\\d.,]+')
          .replace(/\{\{.*?\}\}/g, '.+')}$`,
      ),
  )

/** Words that English sentences are held together by, and Spanish ones don't have. */
const BETWEEN =
  /\b(?:the|of|and|with|your|you|is|are|was|to|at|on|for|by|from|which|that|this|it|its|not|than|where)\b/g
/** A name that a city gave has one or two of them; a sentence more. */
const BETWEEN_MAX = 2

/** The demo city asks in English, whoever reads it. */
const ASKED_BY_CITY = 'Is it fair to pay for the roads by the mile?'

/** What a page says or reads out to somebody, piece by piece. Whatever people wrote themselves is theirs: fields, and parts with a `lang`. */
const PIECES = `(() => {
  const said = []
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT)
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (node.nodeType === 3) {
      const holder = node.parentElement
      if (!holder.closest('script, style, textarea, code, pre, body [lang]') && holder.getClientRects().length > 0) said.push(node.data)
    } else for (const name of ['aria-label', 'title', 'alt', 'placeholder']) if (node.hasAttribute(name)) said.push(node.getAttribute(name))
  }
  return said.map((text) => text.replace(/\\s+/g, ' ').trim()).filter(Boolean)
})()`

/** What stands in English on a page that is being read in Spanish. */
export const englishOn = async (page: Page): Promise<string[]> => englishIn((await page.evaluate(PIECES)) as string[])

/** What of these pieces of a text in Spanish is English. */
export function englishIn(pieces: readonly string[]): string[] {
  return [...new Set(pieces)]
    .filter(
      (text) =>
        text !== ASKED_BY_CITY &&
        (ENGLISH.some((sentence) => sentence.test(text)) ||
          new Set(text.toLowerCase().match(BETWEEN)).size > BETWEEN_MAX),
    )
    .map((text) => `English: ${text.slice(0, 120)}`)
}
