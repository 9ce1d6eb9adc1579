import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { type DisputeView, VEHICLE_CLASSES } from '#contracts'
import { send, useGet } from '../shared/api'
import { Form, RadioField, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Notice, Page, Section } from '../shared/page'
import { Load, NoSuchPage } from '../shared/states'

/** One question with what was said, and the form that decides it. */
export function DisputePage() {
  const { t } = useTranslation('agency')
  const { id } = useParams()
  const disputes = useGet<readonly DisputeView[]>('/v1/disputes')
  const [isDecided, setDecided] = useState(false)
  return (
    <Load of={disputes} isPart={false}>
      {(all) => {
        const dispute = all.find((one) => one.id === id)
        if (!dispute) return <NoSuchPage />
        return (
          <Page
            title={t(`disputes.reason.${dispute.reason as 'other'}`)}
            back={{ to: '/agency/disputes', label: t('disputes.back') }}
          >
            {isDecided && <Notice kind="success">{t('disputes.decidedNow')}</Notice>}
            <Facts of={dispute} />
            <Said of={dispute} />
            {dispute.state === 'open' && (
              <Section title={t('disputes.outcome')}>
                <Decision
                  of={dispute}
                  done={() => {
                    setDecided(true)
                    disputes.reload()
                  }}
                />
              </Section>
            )}
          </Page>
        )
      }}
    </Load>
  )
}

function Facts({ of }: { of: DisputeView }) {
  const { t } = useTranslation('agency')
  const { money, date } = useFormats()
  const rows = [
    [
      t('disputes.what'),
      `${t('disputes.statement', { id: of.statement.slice(0, 12) })}, ${of.line === null ? t('disputes.whole') : t('disputes.line', { n: of.line + 1 })}`,
    ],
    [t('disputes.amount'), money(of.amountMicros)],
    [t('disputes.by'), date(of.decideBy)],
    [t('disputes.state'), t(`disputes.states.${of.state as 'open'}`)],
  ]
  return (
    <dl className="govuk-summary-list">
      {rows.map(([key, value]) => (
        <div className="govuk-summary-list__row" key={key}>
          <dt className="govuk-summary-list__key">{key}</dt>
          <dd className="govuk-summary-list__value">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Said({ of: { id, steps } }: { of: DisputeView }) {
  const { t } = useTranslation('agency')
  const { moment } = useFormats()
  return (
    <Section title={t('disputes.said')}>
      <ol className="govuk-list rm-said">
        {steps.map(({ by, at, text, evidence }, i) => (
          <li key={i} className="rm-card">
            <p className="rm-muted">
              {t(by === 'citizen' ? 'disputes.fromCitizen' : 'disputes.fromAgency')}, {moment(at)}
            </p>
            {text && <p className="govuk-body">{text}</p>}
            {evidence && (
              <a className="govuk-link" href={`/v1/disputes/${id}/evidence/${evidence}`}>
                {t('disputes.evidence')}
              </a>
            )}
          </li>
        ))}
      </ol>
    </Section>
  )
}

const CORRECTIONS = ['not-driven', 'private', 'vehicle', 'exempt'] as const
type Kind = (typeof CORRECTIONS)[number]

function Decision({ of, done }: { of: DisputeView; done: () => void }) {
  const { t } = useTranslation('agency')
  const form = useForm(
    {
      outcome: '' as '' | 'upheld' | 'refused',
      correction: (of.reason === 'wrong-vehicle'
        ? 'vehicle'
        : of.reason === 'private-road'
          ? 'private'
          : 'not-driven') as Kind,
      vehicleClass: VEHICLE_CLASSES[0] as (typeof VEHICLE_CLASSES)[number],
      exempt: '',
      text: '',
    },
    {
      check: ({ outcome, correction, exempt, text }) => ({
        ...(outcome ? {} : { outcome: t('disputes.choose') }),
        ...(outcome === 'upheld' && correction === 'exempt' && !exempt.trim()
          ? { exempt: t('disputes.textMissing') }
          : {}),
        ...(text.trim() ? {} : { text: t('disputes.textMissing') }),
      }),
      send: async ({ outcome, correction, vehicleClass, exempt, text }) => {
        const corrected = {
          'not-driven': { kind: 'not-driven' },
          private: { kind: 'road', access: 'private' },
          vehicle: { kind: 'vehicle', vehicleClass },
          exempt: { kind: 'exempt', reason: exempt },
        }[correction]
        await send(
          'POST',
          `/v1/disputes/${of.id}/decision`,
          outcome === 'upheld' ? { outcome, correction: corrected, text } : { outcome, text },
        )
        done()
      },
    },
  )
  const { outcome, correction } = form.values
  return (
    <Form form={form} submit={t('disputes.send')}>
      <RadioField
        label={t('disputes.outcome')}
        options={[
          { value: 'upheld', label: t('disputes.uphold') },
          { value: 'refused', label: t('disputes.refuse') },
        ]}
        {...form.bind('outcome')}
        onValue={(value: 'upheld' | 'refused') => form.set({ outcome: value })}
      />
      {outcome === 'upheld' && (
        <SelectField
          label={t('disputes.correction')}
          options={CORRECTIONS.map((value) => ({ value, label: t(`disputes.corrections.${value}`) }))}
          {...form.bind('correction')}
        />
      )}
      {outcome === 'upheld' && correction === 'vehicle' && (
        <SelectField
          label={t('disputes.vehicleClass')}
          options={VEHICLE_CLASSES.map((value) => ({ value, label: t(`options.${value}`) }))}
          {...form.bind('vehicleClass')}
        />
      )}
      {outcome === 'upheld' && correction === 'exempt' && (
        <TextField label={t('disputes.exemptReason')} {...form.bind('exempt')} />
      )}
      <TextField label={t('disputes.text')} rows={4} {...form.bind('text')} />
    </Form>
  )
}
