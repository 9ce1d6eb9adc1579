import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { send, useGet } from '../shared/api'
import { Form, TextField, useForm } from '../shared/form'
import { useFormats } from '../shared/format'
import { Figure, Figures, Notice, Page, Section } from '../shared/page'
import { Empty, Load } from '../shared/states'
import { Table } from '../shared/table'
import { type Balance } from './documents'
import { amountFault } from './faults'

/** `GET /v1/payments` */
interface Payment {
  readonly id: string
  readonly amountMicros: string
  readonly provider: string
  readonly askedAt: number
  readonly state: 'asked' | 'succeeded' | 'failed'
}

const toPay = async (path: string, body: object): Promise<void> =>
  location.assign((await send<{ url: string }>('POST', path, body)).url)

export function Pay() {
  const { t } = useTranslation('citizen')
  const balance = useGet<Balance>('/v1/balance')
  return (
    <Page title={t('pay.title')} lead={t('pay.lead')}>
      <Load of={balance}>{(data) => <Bills balance={data} saved={balance.reload} />}</Load>
      <Payments
        creditMicros={balance.state === 'ready' ? BigInt(balance.data.creditMicros) : 0n}
        changed={balance.reload}
      />
    </Page>
  )
}

function Bills({ balance, saved }: { balance: Balance; saved: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  return (
    <>
      {balance.statements.length === 0 && <Empty title={t('pay.none')} />}
      {balance.statements.map((bill) => (
        <Bill key={bill.statement} bill={bill} />
      ))}
      <Section title={t('wallet.title')} hint={t('wallet.hint')}>
        <Figures>
          <Figure name={t('owed.credit')} value={format.money(balance.creditMicros)} />
          <Figure
            name={t('wallet.available')}
            value={format.money(balance.availableMicros)}
            note={t('wallet.availableNote')}
          />
        </Figures>
        {balance.wallet?.isLow && (
          <Notice kind="warning" title={t('wallet.low')}>
            {t('wallet.lowNote', { amount: format.money(Number(balance.wallet.topUp) * 1e6) })}
          </Notice>
        )}
        <div className="rm-columns">
          <TopUp />
          <Plan wallet={balance.wallet} saved={saved} />
        </div>
      </Section>
    </>
  )
}

function Bill({ bill }: { bill: Balance['statements'][number] }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const form = useForm({}, { check: () => ({}), send: () => toPay(`/v1/statements/${bill.statement}/payments`, {}) })
  return (
    <section className="rm-card rm-section">
      <h2 className="govuk-heading-m">{format.month(bill.month)}</h2>
      <Figures>
        <Figure name={t('statement.due')} value={format.money(bill.dueMicros)} />
        <Figure name={t('pay.paid')} value={format.money(bill.paidMicros)} />
        <Figure
          name={t('pay.left')}
          value={format.money(bill.outstandingMicros)}
          note={BigInt(bill.heldMicros) > 0n ? t('pay.held', { amount: format.money(bill.heldMicros) }) : undefined}
        />
      </Figures>
      {bill.state === 'due' ? (
        <Form form={form} submit={t('pay.now', { amount: format.money(bill.outstandingMicros) })}>
          {null}
        </Form>
      ) : (
        <span className="rm-tag rm-tag--good">{t(`pay.is.${bill.state}`)}</span>
      )}
    </section>
  )
}

function TopUp() {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const form = useForm(
    { amount: '' },
    {
      check: ({ amount }) => amountFault('amount', amount, t('wallet.amountFault')),
      send: ({ amount }) => toPay('/v1/wallet/top-ups', { amount: amount.replace(',', '.') }),
    },
  )
  return (
    <div className="rm-card">
      <h3 className="govuk-heading-s">{t('wallet.topUp')}</h3>
      <Form form={form} submit={t('wallet.topUpNow')}>
        <TextField
          {...form.bind('amount')}
          label={t('wallet.amount')}
          prefix={format.currency}
          width={10}
          inputMode="decimal"
        />
      </Form>
    </div>
  )
}

function Plan({ wallet, saved }: { wallet: Balance['wallet']; saved: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const [isSaved, setSaved] = useState(false)
  const form = useForm(
    { floor: wallet?.floor ?? '', topUp: wallet?.topUp ?? '' },
    {
      check: ({ floor, topUp }) => ({
        ...amountFault('floor', floor, t('wallet.floorFault')),
        ...amountFault('topUp', topUp, t('wallet.amountFault')),
      }),
      send: async ({ floor, topUp }) => {
        await send('PUT', '/v1/wallet', { floor: floor.replace(',', '.'), topUp: topUp.replace(',', '.') })
        setSaved(true)
        saved()
      },
    },
  )
  return (
    <div className="rm-card">
      <h3 className="govuk-heading-s">{t('wallet.plan')}</h3>
      {isSaved && <Notice kind="success" title={t('wallet.saved')} />}
      <Form form={form} submit={t('wallet.planSave')}>
        <TextField
          {...form.bind('floor')}
          label={t('wallet.floor')}
          prefix={format.currency}
          width={10}
          inputMode="decimal"
        />
        <TextField
          {...form.bind('topUp')}
          label={t('wallet.by')}
          prefix={format.currency}
          width={10}
          inputMode="decimal"
        />
      </Form>
    </div>
  )
}

/** Less than the hundredth of a unit can't be given back. */
const COIN_MICROS = 10_000n

/** Payments, each with a way back for as much of it as is credit. */
function Payments({ creditMicros, changed }: { creditMicros: bigint; changed: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const [back, setBack] = useState<string | null>(null)
  const payments = useGet<Payment[]>('/v1/payments')
  return (
    <Section title={t('payments.title')}>
      <Load of={payments}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title={t('payments.none')}>{t('payments.noneNote')}</Empty>
          ) : (
            <Table
              caption={t('payments.title')}
              isCaptionHidden
              rows={rows}
              keyOf={({ id }) => id}
              columns={[
                { id: 'at', title: t('payments.when'), cell: ({ askedAt }) => format.moment(askedAt) },
                { id: 'state', title: t('statements.state'), cell: ({ state }) => t(`payments.is.${state}`) },
                {
                  id: 'amount',
                  title: t('drive.amount'),
                  isNumber: true,
                  cell: ({ amountMicros }) => format.money(amountMicros),
                },
                {
                  id: 'back',
                  title: t('payments.todo'),
                  cell: ({ id, state, provider, amountMicros }) => {
                    const most = BigInt(amountMicros) < creditMicros ? BigInt(amountMicros) : creditMicros
                    return (
                      state === 'succeeded' &&
                      provider !== 'desk' &&
                      most >= COIN_MICROS && (
                        <GiveBack
                          payment={id}
                          micros={most}
                          done={() => {
                            setBack(format.money(most))
                            payments.reload()
                            changed()
                          }}
                        />
                      )
                    )
                  },
                },
              ]}
            />
          )
        }
      </Load>
      {back && <Notice kind="success" title={t('payments.givenBack', { amount: back })} />}
      <p className="govuk-body rm-muted">{t('payments.refund')}</p>
    </Section>
  )
}

function GiveBack({ payment, micros, done }: { payment: string; micros: bigint; done: () => void }) {
  const { t } = useTranslation('citizen')
  const format = useFormats()
  const form = useForm(
    {},
    {
      check: () => ({}),
      send: async () => {
        await send('POST', `/v1/payments/${payment}/refunds`, { amount: inUnits(micros) })
        done()
      },
    },
  )
  return (
    <Form form={form} submit={t('payments.giveBack', { amount: format.money(micros) })}>
      {null}
    </Form>
  )
}

/** Whole micros as decimal units, as the api takes them: to the hundredth, never more than there is. */
const inUnits = (micros: bigint): string =>
  `${micros / 1_000_000n}.${String((micros % 1_000_000n) / 10_000n).padStart(2, '0')}`
