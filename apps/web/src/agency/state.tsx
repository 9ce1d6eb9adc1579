import { useTranslation } from 'react-i18next'
import type { PolicyStateView } from '#contracts'

const LOOK: Partial<Record<PolicyStateView, 'good' | 'warn'>> = {
  'in-force': 'good',
  approved: 'good',
  scheduled: 'good',
  submitted: 'warn',
  returned: 'warn',
}

/** Where a policy stands, in a word. */
export function State({ of }: { of: PolicyStateView }) {
  const { t } = useTranslation('agency')
  return <span className={`rm-tag${LOOK[of] ? ` rm-tag--${LOOK[of]}` : ''}`}>{t(`state.${of}`)}</span>
}

/** Before it is published a policy can still be edited. */
export const isDraft = (state: PolicyStateView): boolean =>
  !['scheduled', 'in-force', 'superseded', 'ended'].includes(state)
