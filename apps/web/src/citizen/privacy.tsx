import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { send, useGet } from '../shared/api'
import { Form, RadioField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Figure, Figures, Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'

/** `GET /v1/me/access-log` */
interface Access {
  readonly at: number
  readonly who: string
  readonly role: string
  readonly what: string
  readonly subject: string | null
  readonly why: string | null
}
/** `GET /v1/me/privacy` */
interface Kept {
  readonly keeps: { readonly fixesHours: number; readonly stretchesDays: number; readonly unpaidDays: number }
  readonly tripsWithPlaces: number | Readonly<Record<string, number>>
  readonly erasures: readonly unknown[]
  readonly destroyed: readonly unknown[]
}

const FORMS = ['json', 'csv', 'geojson', 'gpx'] as const

export function Privacy() {
  const { t } = useTranslation('citizen')
  const kept = useGet<Kept>('/v1/me/privacy')
  return (
    <Page title={t('privacy.title')} lead={t('privacy.lead')}>
      <Section title={t('privacy.what')}>
        <Load of={kept}>{(data) => <Keeps kept={data} />}</Load>
        <ul className="govuk-list govuk-list--bullet">
          <li>{t('privacy.kept.money')}</li>
          <li>{t('privacy.kept.places')}</li>
          <li>{t('privacy.kept.totals')}</li>
        </ul>
      </Section>
      <Section title={t('privacy.download')} hint={t('privacy.downloadHint')}>
        <p className="rm-actions">
          {FORMS.map((form) => (
            <a key={form} className="govuk-button govuk-button--secondary" href={`/v1/me/data.${form}`} download>
              {t(`privacy.form.${form}`)}
            </a>
          ))}
        </p>
      </Section>
      <Section title={t('privacy.looked')} hint={t('privacy.lookedHint')}>
        <Looks />
      </Section>
      <Section title={t('privacy.choices')} hint={t('privacy.choicesNote')}>
        <Link className="govuk-link" to="/my/vehicles">
          {t('privacy.toVehicles')}
        </Link>
      </Section>
      <Section title={t('erase.title')} hint={t('erase.hint')}>
        <Erase done={kept.reload} />
      </Section>
    </Page>
  )
}

function Keeps({ kept: { keeps, destroyed } }: { kept: Kept }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  return (
    <Figures>
      <Figure
        name={t('keeps.fixes')}
        value={
          keeps.fixesHours < 72
            ? t('keeps.hours', { count: keeps.fixesHours })
            : t('keeps.days', { count: Math.round(keeps.fixesHours / 24) })
        }
        note={t('keeps.fixesNote')}
      />
      <Figure
        name={t('keeps.roads')}
        value={t('keeps.days', { count: keeps.stretchesDays })}
        note={t('keeps.roadsNote')}
      />
      <Figure name={t('keeps.destroyed')} value={format.number(destroyed.length)} note={t('keeps.destroyedNote')} />
    </Figures>
  )
}

const LOOKS_SHOWN = 50
/** The reasons that the api gives by itself; every other was written by whoever looked. */
const OUR_REASONS = {
  'the list of totals': 'totals',
  'the list of questions to decide': 'questions',
  'to decide the dispute': 'decide',
} as const
const isOurs = (why: string): why is keyof typeof OUR_REASONS => Object.hasOwn(OUR_REASONS, why)

function Looks() {
  const { t, i18n } = useTranslation('citizen')
  const shared = useTranslation('shared')
  const roleOf = (role: string) => (i18n.exists(`shared:role.${role}`) ? shared.t(`role.${role as 'agency'}`) : role)
  // What is read may get names that this page doesn't know yet.
  const words = (what: string) =>
    i18n.exists(`citizen:privacy.things.${what}`) ? t(`privacy.things.${what as 'statement'}`) : what
  const format = useFormats()
  const looks = useGet<Access[]>('/v1/me/access-log')
  return (
    <Load of={looks}>
      {(rows) =>
        rows.length === 0 ? (
          <Empty title={t('privacy.lookedNone')} />
        ) : (
          <Table
            caption={t('privacy.looked')}
            isCaptionHidden
            rows={rows.slice(0, LOOKS_SHOWN)}
            keyOf={(_, i) => i}
            columns={[
              { id: 'at', title: t('payments.when'), cell: ({ at }) => format.moment(at) },
              { id: 'who', title: t('privacy.who'), cell: ({ who, role }) => `${who} (${roleOf(role)})` },
              { id: 'what', title: t('privacy.read'), cell: ({ what }) => words(what) },
              {
                id: 'why',
                title: t('privacy.why'),
                cell: ({ why }) =>
                  why !== null && isOurs(why) ? t(`privacy.reasons.${OUR_REASONS[why]}`) : <span lang="">{why}</span>,
              },
            ]}
          />
        )
      }
    </Load>
  )
}

function Erase({ done }: { done: () => void }) {
  const { t } = useTranslation('citizen')
  const [isDone, setDone] = useState(false)
  const form = useForm(
    { sure: '' as 'yes' | '' },
    {
      check: ({ sure }) => (sure === 'yes' ? {} : { sure: t('erase.sureFault') }),
      send: async () => {
        await send('POST', '/v1/me/erasure')
        setDone(true)
        done()
      },
    },
  )
  if (isDone) return <Notice kind="success" title={t('erase.done')} />
  return (
    <>
      {form.problem && (
        <p className="govuk-body">
          <a className="govuk-link" href="/auth/login?fresh&return=/my/privacy">
            {t('erase.again')}
          </a>
        </p>
      )}
      <Form form={form} submit={t('erase.button')} isDanger>
        <RadioField
          {...form.bind('sure')}
          label={t('erase.label')}
          options={[{ value: 'yes', label: t('erase.sure'), hint: t('erase.sureHint') }]}
        />
      </Form>
    </>
  )
}
