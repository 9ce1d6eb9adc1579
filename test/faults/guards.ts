import { TARIFF_GUARDS } from './tariff-guards'

/** What keeps something from going wrong: taken away, a test of this suite must fail. */
export interface Guard {
  readonly name: string
  readonly file: string
  /** What is there, once, and what it becomes. */
  readonly from: string
  readonly to: string
  readonly suite: string
  readonly test: string
  /** Whether the suite needs the servers of infra/services.sh. */
  readonly onServers?: boolean
}

export const GUARDS: readonly Guard[] = [
  {
    name: 'receipt: a device keeps what none covers',
    file: 'libs/messaging/src/device-client.ts',
    from: 'if (!covers(receipt, entry.batch.boot, entry.batch.seq)) continue',
    to: '',
    suite: 'libs/messaging/src/broker.spec.ts',
    test: 'is held until a receipt covers it',
  },
  {
    name: 'receipt: none before the commit',
    file: 'libs/messaging/src/broker.ts',
    from: "          done(new Error('not committed'))\n        },\n      )\n  }\n\n  const told",
    to: '          done()\n        },\n      )\n  }\n\n  const told',
    suite: 'libs/messaging/src/broker.spec.ts',
    test: 'a batch at our own broker',
  },
  {
    name: 'unique key: a number has one content',
    file: 'libs/store/src/fates.ts',
    from: "if (twin?.digest === digest) return { fate: 'duplicate', reason: null, detail: '', alarm: null }",
    to: '',
    suite: 'test/scenarios/every-input-gets-its-answer.spec.ts',
    test: 'the same again',
  },
  {
    name: "lease: work in hand is nobody else's",
    file: 'libs/store/src/work.ts',
    from: 'wanted > done and parked_at is null and lease_until < clock_timestamp()`\nconst ONE',
    to: 'wanted > done and parked_at is null`\nconst ONE',
    suite: 'test/store/store.spec.ts',
    test: 'is claimed once, and done once',
  },
  {
    name: 'fence: who lost the lease can not save',
    file: 'libs/store/src/work.ts',
    from: 'w.key = c.key and w.fence = c.fence returning',
    to: 'w.key = c.key returning',
    suite: 'test/store/store.spec.ts',
    test: 'whose lease ran out is taken over',
  },
  {
    name: 'epoch: no acknowledgement on a later connection',
    file: 'libs/messaging/src/subscriber.ts',
    from: '      epoch++\n      acknowledgements.forget()\n',
    to: '      epoch++\n',
    suite: 'test/services/messaging.spec.ts',
    test: 'does not acknowledge on a later connection',
    onServers: true,
  },
  {
    name: 'advisory lock: one worker at a device at a time',
    file: 'libs/store/src/trips.ts',
    from: "tx.run(`select pg_advisory_xact_lock(hashtextextended('device/' || $1, 0))`, [device])",
    to: 'tx.run(`select $1::text`, [device])',
    suite: 'test/services/store.spec.ts',
    test: 'lets one worker at a device at a time',
    onServers: true,
  },
  {
    name: 'sequence prefix: nothing behind a gap is read',
    file: 'libs/mileage/src/segmentation.ts',
    from: 'held.find(([from, to]) => from <= processed && processed < to)?.[1] ?? processed',
    to: 'held.at(-1)?.[1] ?? processed',
    suite: 'libs/mileage/src/segmentation.spec.ts',
    test: 'reads up to a gap and names it',
  },
  {
    name: 'row lock: a stream is counted by one at a time',
    file: 'libs/store/src/inbox.ts',
    from: 'on conflict (device, boot) do update set received = stream.received',
    to: 'on conflict (device, boot) do nothing',
    suite: 'test/scenarios/every-input-gets-its-answer.spec.ts',
    test: 'the same again',
  },
  ...TARIFF_GUARDS,
]
