import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import { en } from './en'
import { es } from './es'

export const LANGUAGES = { en: 'English', es: 'Español' } as const
export type Language = keyof typeof LANGUAGES

/** A cookie, because the pages that a server renders speak the chosen language too (apps/api/src/language.ts). */
const KEPT = 'roadmeter-language'
const KEPT_S = 365 * 86_400
const kept = (): string | null => new RegExp(`(?:^|; )${KEPT}=(\\w+)`).exec(document.cookie)?.[1] ?? null
const isLanguage = (text: string | null): text is Language => text !== null && text in LANGUAGES

/** Speaks the language that was chosen, or else the browser's. */
export function startWords(): void {
  const wanted = [kept(), ...navigator.languages.map((tag) => tag.slice(0, 2))]
  const lng = wanted.find(isLanguage) ?? 'en'
  void i18next.use(initReactI18next).init({
    lng,
    fallbackLng: 'en',
    ns: ['shared'],
    defaultNS: 'shared',
    resources: { en: { shared: en }, es: { shared: es } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  })
  document.documentElement.lang = lng
}

export function speak(language: Language): void {
  document.cookie = `${KEPT}=${language}; path=/; max-age=${KEPT_S}; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`
  document.documentElement.lang = language
  void i18next.changeLanguage(language)
}

/** A room brings its own words with it when it is loaded. */
export function addWords<Says extends object>(room: string, words: Readonly<Record<Language, Says>>): void {
  for (const [language, says] of Object.entries(words)) i18next.addResourceBundle(language, room, says)
}
