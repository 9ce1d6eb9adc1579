import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { HeldTripView } from '#contracts'
import { send, useGet } from '../shared/api'
import { Form, RadioField, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { useMe } from '../shared/me'
import { Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'

/** Trips that are held because distances don't agree: distances and months, no places. */
export function Reviews() {
  const { t } = useTranslation('agency')
  const { agency, role } = useMe()
  // An auditor reads; who runs the pilot decides.
  const decides = role === 'agency' || role === 'operator'
  const held = useGet<readonly HeldTripView[]>(`/v1/agencies/${agency.id}/reviews`)
  const { distance, month, share } = useFormats()
  const [picked, setPicked] = useState<string | null>(null)
  const [decided, setDecided] = useState<string | null>(null)
  return (
    <Page title={t('reviews.title')} lead={t('reviews.lead')} wide>
      {decided && <Notice kind="success">{t('reviews.done', { trip: short(decided) })}</Notice>}
      <Load of={held}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={t('reviews.none')} />
          ) : (
            <>
              <Table
                caption={t('reviews.title')}
                isCaptionHidden
                rows={rows}
                keyOf={({ trip }) => trip}
                columns={[
                  {
                    id: 'trip',
                    title: t('reviews.trip'),
                    cell: ({ trip }) =>
                      decides ? (
                        <button type="button" className="rm-link" onClick={() => setPicked(trip)}>
                          {short(trip)}
                        </button>
                      ) : (
                        short(trip)
                      ),
                  },
                  { id: 'month', title: t('reviews.month'), cell: (row) => month(row.month) },
                  {
                    id: 'metered',
                    title: t('reviews.metered'),
                    isNumber: true,
                    cell: ({ meteredMm }) => distance(meteredMm),
                  },
                  {
                    id: 'odometer',
                    title: t('reviews.odometer'),
                    isNumber: true,
                    cell: ({ odometerMm }) => distance(odometerMm),
                  },
                  {
                    id: 'off',
                    title: t('reviews.off'),
                    isNumber: true,
                    cell: ({ permille }) => share(permille / 1000),
                  },
                  {
                    id: 'suspect',
                    title: t('reviews.suspect'),
                    cell: ({ suspect }) => t(`reviews.suspects.${suspect}`),
                  },
                ]}
              />
              {picked && rows.some(({ trip }) => trip === picked) && (
                <Section title={t('reviews.pick', { trip: short(picked) })}>
                  <Decide
                    key={picked}
                    path={`/v1/agencies/${agency.id}/reviews/${picked}`}
                    done={() => {
                      setDecided(picked)
                      setPicked(null)
                      held.reload()
                    }}
                  />
                </Section>
              )}
            </>
          )
        }
      </Load>
    </Page>
  )
}

const short = (trip: string): string => trip.slice(0, 8)

function Decide({ path, done }: { path: string; done: () => void }) {
  const { t } = useTranslation('agency')
  const form = useForm(
    { decision: '' as '' | 'release' | 'void', reason: '' },
    {
      check: ({ decision, reason }) => ({
        ...(decision ? {} : { decision: t('reviews.choose') }),
        ...(reason.trim().length >= 3 ? {} : { reason: t('reviews.reasonMissing') }),
      }),
      send: async (values) => {
        await send('POST', path, values)
        done()
      },
    },
  )
  return (
    <Form form={form} submit={t('reviews.send')}>
      <RadioField
        label={t('reviews.decision')}
        options={[
          { value: 'release', label: t('reviews.release') },
          { value: 'void', label: t('reviews.void') },
        ]}
        {...form.bind('decision')}
        onValue={(decision: 'release' | 'void') => form.set({ decision })}
      />
      <TextField label={t('reviews.reason')} rows={2} {...form.bind('reason')} />
    </Form>
  )
}
