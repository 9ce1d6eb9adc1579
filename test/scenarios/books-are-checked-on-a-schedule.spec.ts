import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant, type DeviceId, type Instant } from '#kernel'
import { readHeads } from '#pipeline'
import { raiseAlarms, trialBalance } from '#store'
import { at, openStory, type Story } from './story'

const DAY_MS = 86_400_000

describe('books that are checked on a schedule', () => {
  let story: Story
  const folder = mkdtempSync(join(tmpdir(), 'roadmeter-heads-'))
  const file = join(folder, 'heads.jsonl')
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', {
      environment: { ROADMETER_RECONCILE_MS: String(DAY_MS), ROADMETER_HEADS_FILE: file, ROADMETER_SWEEP_MS: '50' },
    })
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
  })
  afterAll(async () => {
    await story?.end()
    rmSync(folder, { recursive: true })
  })

  const metrics = async (): Promise<Map<string, number>> => {
    const text = (await story.as('operator', 'GET', '/metrics')).body as string
    return new Map(text.split('\n').flatMap((line) => {
      const [, name, value] = /^(roadmeter_\S+) (\S+)$/.exec(line) ?? []
      return name ? [[name, Number(value)] as const] : []
    })) // prettier-ignore
  }
  /** A day later, once the check of that day is on show. */
  const nextDay = async () => {
    story.world.clock.advanceTo(instant(story.world.clock.now() + DAY_MS))
    const now = story.world.clock.now() / 1000
    for (let i = 0; i < 600; i++) {
      const found = await metrics()
      if (found.get('roadmeter_reconciled_timestamp_seconds') === now) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('the books were not checked')
  }
  /** As an administrator who turns the triggers off. */
  const tamper = (sql: string) =>
    story.world.store.transaction(async (tx) => {
      await tx.run('set local session_replication_role = replica')
      await tx.run(sql)
    })
  const driven = async () => BigInt((await story.as('citizen', 'GET', '/v1/balance')).body.drivenMicros)
  const faults = (found: Map<string, number>) =>
    [...found].filter(([name, n]) => name.startsWith('roadmeter_invariant_faults') && n > 0).map(([name]) => /"(.*)"/.exec(name)![1]) // prettier-ignore

  it('hold, their balances are folded, and their heads are kept outside', async () => {
    const found = await nextDay()
    expect(faults(found)).toEqual([])
    expect(found.get('roadmeter_invariant_faults{invariant="I4"}')).toBe(0)
    expect(found.get('roadmeter_invariant_faults{invariant="I11"}')).toBe(0)
    const heads = readHeads(readFileSync(file, 'utf8'), file)
    expect(heads.reduce((sum, { length }) => Math.max(sum, length), 0)).toBe(1)
    const kinds = await story.world.store.transaction((tx) => trialBalance(tx))
    expect(kinds.map(({ kind }) => kind)).toEqual(['accrued', 'revenue'])
    expect(kinds.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n)
    // What comes after the snapshot is counted, too.
    await story.drive('back', 7.02, 7, '2026-10-07T12:00:00+02:00')
    const [accrued] = await story.world.store.transaction((tx) => trialBalance(tx))
    expect(accrued.amount).toBe(await story.ledger(`accrued:${story.people.account}`))
    expect(await driven()).toBe(accrued.amount)
  })

  it('are found out where a balance is not what its postings come to, or a posted trip is wanted by nobody', async () => {
    await nextDay()
    await tamper(`update money.balance set amount = amount + 1 where account like 'accrued:%'`)
    await tamper(`update metering.trip set state = 'rated' where name = 'back'`)
    // What a citizen is told is the snapshot and what came since, so a snapshot that lies is seen, and found out.
    expect(await driven()).toBe((await story.ledger(`accrued:${story.people.account}`)) + 1n)
    expect(faults(await nextDay())).toEqual(expect.arrayContaining(['I5', 'I11']))
    await tamper(`update money.balance set amount = amount - 1 where account like 'accrued:%'`)
    await tamper(`update metering.trip set state = 'posted' where name = 'back'`)
    expect(faults(await nextDay())).toEqual([])
  })

  it('and where their last entry is gone without a trace, by the heads that were kept', async () => {
    const last = `(select id from money.transfer order by shard, index desc limit 1)`
    await tamper(`delete from money.posting where transfer = ${last}`)
    await tamper(`delete from money.transfer where id = ${last}`)
    await tamper(
      `update money.chain c set length = t.index + 1, hash = t.hash from money.transfer t where t.shard = c.shard`,
    )
    expect(faults(await nextDay())).toContain('I8-heads')
  })

  it('tell when a dispute was to be decided by now', async () => {
    expect((await metrics()).get('roadmeter_disputes_overdue')).toBe(0)
    expect(at('2026-10-09T00:00:00+02:00')).toBeLessThan(story.world.clock.now())
  })

  it('tell of devices with an alarm, for a day after the last one', async () => {
    const alarms = async () => [...(await nextDay())].filter(([name, n]) => name.startsWith('roadmeter_device_alarms') && n > 0) // prettier-ignore
    expect(await alarms()).toEqual([])
    expect((await metrics()).get('roadmeter_device_alarms{kind="CLONE"}')).toBe(0)
    const [{ id: device }] = await story.world.store.read<{ id: DeviceId }>('select id from metering.device limit 1')
    const raise = (at: Instant) =>
      story.world.store.transaction((tx) =>
        raiseAlarms(tx, [{ device, kind: 'CLONE', detail: '' }, { device, kind: 'CLONE', detail: '' }], at),
      ) // prettier-ignore
    await raise(instant(story.world.clock.now() + DAY_MS / 2))
    expect(await alarms()).toEqual([['roadmeter_device_alarms{kind="CLONE"}', 1]])
    expect(await alarms()).toEqual([])
  })
})
