import { useTranslation } from 'react-i18next'
import type { ComparisonView } from '#contracts'
import { useFormats } from '../shared/format'
import { Figure, Figures } from '../shared/page'

/** What a policy would come to, in the four figures that decide. */
export function MoneyFigures({ of: { revenue, bills, accounts } }: { of: ComparisonView }) {
  const { t } = useTranslation('agency')
  const { money, share } = useFormats()
  const [before, after] = [Number(revenue.before), Number(revenue.after)]
  const of = (count: number) => t('backtest.accounts', { count })
  return (
    <Figures>
      <Figure
        name={t('backtest.revenue')}
        value={money(revenue.after)}
        note={
          <>
            {t('backtest.revenueNote', { before: money(revenue.before) })}
            {before > 0 && ` (${after >= before ? '+' : '−'}${share(Math.abs(after - before) / before)})`}
          </>
        }
      />
      {bills && (
        <>
          <Figure name={t('backtest.more')} value={share(bills.more / accounts)} note={of(bills.more)} />
          <Figure name={t('backtest.less')} value={share(bills.less / accounts)} note={of(bills.less)} />
          <Figure name={t('backtest.same')} value={share(bills.same / accounts)} note={of(bills.same)} />
        </>
      )}
    </Figures>
  )
}
