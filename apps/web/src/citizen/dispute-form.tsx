import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useParams } from 'react-router'
import type { TripView } from '#contracts'
import { send, useGet } from '../shared/api'
import { FileField, Form, RadioField, SelectField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Notice, Page } from '../shared/page'
import { Load } from '../shared/states'
import { type DisputeRow } from './documents'
import { useRuleWords } from './ours'

export const REASONS = ['not-driven', 'wrong-road', 'private-road', 'wrong-vehicle', 'wrong-price', 'other'] as const
const EVIDENCE = 'image/jpeg,image/png,image/webp,application/pdf'
const EVIDENCE_BYTES_MAX = 5 * 1024 * 1024

/** Questions a trip or one line of it. */
export function DisputeForm() {
  const { trip } = useParams() as { trip: string }
  const view = useGet<TripView>(`/v1/trips/${encodeURIComponent(trip)}`)
  return (
    <Load of={view} isPart={false}>
      {(data) => <Ask view={data} />}
    </Load>
  )
}

function Ask({ view }: { view: TripView }) {
  const { t } = useTranslation(['citizen', 'shared'])
  const format = useFormats()
  const said = useRuleWords()
  const navigate = useNavigate()
  const [unsentFile, setUnsentFile] = useState(false)
  const form = useForm(
    { line: 'all', reason: '' as (typeof REASONS)[number] | '', text: '', file: null as File | null },
    {
      check: ({ reason, text, file }) => ({
        ...(reason === '' ? { reason: t('dispute.reasonFault') } : {}),
        ...(text.trim().length < 3 ? { text: t('dispute.textFault') } : {}),
        ...(file && (!EVIDENCE.split(',').includes(file.type) || file.size > EVIDENCE_BYTES_MAX)
          ? { file: t('dispute.fileFault') }
          : {}),
      }),
      send: async ({ line, reason, text, file }) => {
        const opened = await send<DisputeRow>('POST', `/v1/statements/${view.statement}/disputes`, {
          trip: view.trip,
          ...(line === 'all' ? {} : { line: Number(line) }),
          reason,
          text,
        })
        if (file) {
          // The question is asked; a file that doesn't get through can be sent again from the list.
          const sent = await send('POST', `/v1/disputes/${opened.id}/evidence`, file).then(
            () => true,
            () => false,
          )
          if (!sent) return setUnsentFile(true)
        }
        void navigate('/my/disputes?asked')
      },
    },
  )
  const back = { to: `/my/trips/${view.trip}`, label: t('dispute.back') }
  if (view.statement === null)
    return (
      <Page title={t('dispute.title')} back={back}>
        <Notice>{t('dispute.tooEarly')}</Notice>
      </Page>
    )
  return (
    <Page title={t('dispute.title')} lead={t('dispute.lead')} back={back}>
      {unsentFile && (
        <Notice kind="warning" title={t('dispute.unsent')}>
          <Link className="govuk-link" to="/my/disputes">
            {t('dispute.toList')}
          </Link>
        </Notice>
      )}
      <Form form={form} submit={t('dispute.send')}>
        <SelectField
          {...form.bind('line')}
          label={t('dispute.what')}
          options={[
            { value: 'all', label: t('dispute.whole', { amount: format.money(view.amountMicros) }) },
            ...view.lines.map((line, i) => ({
              value: String(i),
              label: `${said(line.ruleName)}, ${t(`shared:roadClass.${line.roadClass}`)}, ${format.distance(line.distanceMm)}: ${format.money(line.amountMicros)}`,
            })),
          ]}
        />
        <RadioField
          {...form.bind('reason')}
          label={t('dispute.reason')}
          options={REASONS.map((reason) => ({
            value: reason,
            label: t(`dispute.is.${reason}`),
            hint: t(`dispute.means.${reason}`),
          }))}
        />
        <TextField {...form.bind('text')} label={t('dispute.text')} hint={t('dispute.textHint')} rows={5} />
        <FileField {...form.bind('file')} label={t('dispute.file')} hint={t('dispute.fileHint')} accept={EVIDENCE} />
        <Notice>{t('dispute.shows')}</Notice>
      </Form>
    </Page>
  )
}
