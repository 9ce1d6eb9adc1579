import { useContext } from 'react'
import { useTranslation } from 'react-i18next'
import { EditingContext, Members } from './field'
import { emptyOf, fieldId, isObject, type Json, type Schema } from './schema'

const PRICED = ['perMile', 'perKm', 'perEntry', 'perTrip', 'free', 'exempt'] as const

/** The rules in their order, each folded to its name and price. */
export function Rules({ schema }: { schema: Schema }) {
  const { document, change, faults } = useContext(EditingContext)
  const { t } = useTranslation('agency')
  const rules = Array.isArray(document.rules) ? (document.rules as readonly Json[]) : []
  const move = (from: number, to: number) => {
    const next = [...rules]
    next.splice(to, 0, ...next.splice(from, 1))
    change(['rules'], next)
  }
  return (
    <div id={fieldId('rules')} tabIndex={-1}>
      <p className="govuk-body rm-muted">{t('editor.rulesHow')}</p>
      <button
        type="button"
        className="govuk-button govuk-button--secondary rm-small"
        onClick={() => {
          const ids = rules.map((rule) => (isObject(rule) ? rule.id : ''))
          let n = rules.length
          while (ids.includes(`rule-${n}`)) n++
          const made = emptyOf(schema.items!) as { [name: string]: Json }
          change(['rules'], [{ ...made, id: `rule-${n}`, price: { perMile: '1.00' } }, ...rules])
        }}
      >
        {t('editor.addRule')}
      </button>
      <ol className="rm-rules">
        {rules.map((rule, i) => {
          const name = (isObject(rule) && (rule.name || rule.id)) || t('editor.item', { n: i + 1 })
          const wrong = [...faults.keys()].some((path) => path === `rules[${i}]` || path.startsWith(`rules[${i}].`))
          return (
            <li key={i}>
              <details className="rm-rule" id={fieldId(`rules[${i}]`)} tabIndex={-1}>
                <summary>
                  <strong>{String(name)}</strong> <span className="rm-muted">{priceText(rule)}</span>
                  {wrong && <span className="rm-tag rm-tag--warn">!</span>}
                </summary>
                {faults.has(`rules[${i}]`) && <p className="govuk-error-message">{faults.get(`rules[${i}]`)}</p>}
                <Members schema={schema.items!} path={['rules', i]} value={rule} />
                <p className="rm-actions">
                  {i > 0 && (
                    <button type="button" className="rm-link" onClick={() => move(i, i - 1)}>
                      {t('editor.up')} <span className="govuk-visually-hidden">{String(name)}</span>
                    </button>
                  )}
                  {i < rules.length - 1 && (
                    <button type="button" className="rm-link" onClick={() => move(i, i + 1)}>
                      {t('editor.down')} <span className="govuk-visually-hidden">{String(name)}</span>
                    </button>
                  )}
                  <button type="button" className="rm-link" onClick={() => change(['rules', i], undefined)}>
                    {t('editor.remove')} <span className="govuk-visually-hidden">{String(name)}</span>
                  </button>
                </p>
              </details>
            </li>
          )
        })}
      </ol>
    </div>
  )

  function priceText(rule: Json): string {
    const price = isObject(rule) && isObject(rule.price) ? rule.price : {}
    if ('times' in price) return `× ${String(price.times)} ${String(price.rule)}`
    const kind = PRICED.find((name) => name in price)
    if (!kind) return ''
    const [said, name] = [String(price[kind]), t(`field.${kind}`)]
    return kind === 'free' || kind === 'exempt' ? `${name} ${said}` : `${said} ${name.toLocaleLowerCase()}`
  }
}
