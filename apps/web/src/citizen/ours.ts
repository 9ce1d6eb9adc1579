import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'

/** Rules and reasons that no city wrote: the engine gives them, and statements seal them, in English (libs/rating, libs/statement). */
const OURS = {
  none: 'noPolicy',
  corrected: 'corrected',
  voided: 'voided',
  'in-doubt': 'inDoubt',
  Corrected: 'corrected',
  'Voided on review': 'voided',
  'In doubt': 'inDoubt',
  'No policy in force': 'noPolicy',
  'voided on review': 'whyVoided',
  'no policy in force': 'whyNoPolicy',
  'in doubt: a shorter way is as likely': 'whyInDoubt',
  'not driven': 'notDriven',
} as const
const isOurs = (text: string): text is keyof typeof OURS => Object.hasOwn(OURS, text)

/** A rule's name or a reason as the reader is told it: ours in their language, the city's as the city wrote it. */
export function useRuleWords(): (text: string) => string {
  const { t } = useTranslation('citizen')
  return useCallback((text) => (isOurs(text) ? t(`ours.${OURS[text]}`) : text), [t])
}
