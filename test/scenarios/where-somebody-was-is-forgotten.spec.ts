import fs from 'node:fs'
import path from 'node:path'
import { type Instant, type TripId } from '#kernel'
import { DeviceClient } from '#messaging'
import { auditLedger, explainTrip, recordAtDesk } from '#pipeline'
import { KeyRing, openBytes } from '#runtime'
import {
  batchesOf,
  fatesOf,
  liftHold,
  packBatch,
  pathOf,
  placeHold,
  reportOf,
  saveReport,
  sealOlder,
  Store,
  tripById,
  Vault,
} from '#store'
import { faultsOf } from '../harness'
import { driveAlong } from './roads'
import { at, euro, openStory, recomputes, type Story } from './story'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('where somebody was is forgotten when its time is over', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', { environment: { ROADMETER_KEEP_FIXES_HOURS: '72' } })
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
  })
  afterAll(() => story?.end())

  const read = <T = Record<string, string>>(sql: string) => story.world.store.read<T>(sql)
  const numberOf = async (sql: string) => Number((await read<{ n: string }>(`select count(*) as n from ${sql}`))[0].n)
  const later = (ms: number) => story.world.clock.advanceTo((story.world.clock.now() + ms) as Instant)
  /** Waits for the sweeper, which looks on its own. */
  const until = async (sql: string, wanted: number) => {
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      if ((await numberOf(sql)) === wanted) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`${sql}: ${await numberOf(sql)} and not ${wanted}`)
  }
  const receipts = () =>
    read<{ what: string; count: string; keys: string; reason: string }>(
      `select transfer->'destroyed'->>'what' as what, transfer->'destroyed'->>'count' as count, transfer->'destroyed'->>'keys' as keys,
         transfer->>'reason' as reason from money.transfer where kind = 'destruction' order by happened_at, id`,
    )
  let trip: TripId

  it('is sealed from the beginning: nothing of it is in the rows, and each row opens in its own place alone', async () => {
    trip = (await read<{ id: TripId }>('select id from metering.trip'))[0].id
    expect(await numberOf(`location.batch where key is null`)).toBe(0)
    for (const table of ['path', 'report', 'fates'])
      expect(await numberOf(`location.${table} where sealed is null`)).toBe(0)
    const { store } = story.world
    const path = await store.transaction((tx) => pathOf(tx, trip))
    expect(path!.traversals.length).toBeGreaterThan(0)
    // A report in the place of a path, and one changed bit.
    for (const tamper of [
      `update location.path p set sealed = r.sealed from location.report r where r.trip = p.trip`,
      `update location.path set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)`,
    ])
      await expect(
        store.transaction(async (tx) => {
          await tx.run(tamper)
          await pathOf(tx, trip)
        }),
      ).rejects.toThrow(`what is stored as path ${trip} is not what was sealed`)
    await story.sound()
  })

  it('of a database from before is sealed as it is found, and what was kept is what is read', async () => {
    const { store } = story.world
    const kept = () =>
      store.transaction(async (tx) => ({
        path: await pathOf(tx, trip),
        report: await reportOf(tx, trip),
        fates: await fatesOf(tx, trip),
        batches: await batchesOf(tx, (await tripById(tx, trip))!),
      }))
    const before = await kept()
    await store.transaction(async (tx) => {
      for (const [kind, column] of [
        ['path', 'match'],
        ['report', 'report'],
        ['fates', 'runs'],
      ] as const)
        await tx.run(`update location.${kind} set key = null, sealed = null, ${column} = $1::jsonb`, [
          JSON.stringify(before[kind]),
        ])
      for (const batch of before.batches)
        await tx.run(`update location.batch set key = null, payload = $2 where seq = $1`, [batch.seq, packBatch(batch)])
    })
    const rows = before.batches.length + 3
    expect(await faultsOf(story.world)).toEqual([
      `I12: ${rows} rows with locations are kept in plain: roadmeter migrate seals them`,
    ])
    expect(await kept()).toEqual(before)
    let last = 0
    expect(await sealOlder(store, (done) => (last = done))).toBe(rows)
    expect([last, await sealOlder(store)]).toEqual([rows, 0])
    expect(await kept()).toEqual(before)
    await story.sound()
  })

  it('opens with no other key: a process with another key file says so in a sentence, and takes nothing', async () => {
    const other = fs.mkdtempSync(path.join(story.world.settings.dataDir, 'other-'))
    const ring = new KeyRing({ keyFile: path.join(other, 'location.key'), dataDir: other })
    await ring.newest()
    const stranger = new Store(story.world.store.dataSource, new Vault(ring))
    await expect(stranger.transaction((tx) => tx.vault.ready(tx))).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(/location\.key doesn't hold key [0-9a-f]{16}, under which/),
    })
    await expect(stranger.transaction((tx) => pathOf(tx, trip))).rejects.toMatchObject({ code: 'LOCATION_KEY' })
    expect(
      fs.statSync(story.world.settings.keyFile || path.join(story.world.settings.dataDir, 'location.key')).mode & 0o777,
    ).toBe(0o600)
  })

  it('is sealed under a new key where another process destroyed the one that this one remembers', async () => {
    const { store } = story.world
    const work = store.transaction(async (tx) => {
      const row = (await tripById(tx, trip))!
      const place = { subject: row.vehicle, period: row.month! }
      const before = tx.vault.sealAhead({ place, name: 'any', bytes: new Uint8Array() })!.key
      const report = (await reportOf(tx, trip))!
      await tx.run('delete from location.report where trip = $1', [trip])
      await tx.run('delete from location.data_key where id = $1::int8', [before])
      await saveReport(tx, row, row.reportDigest!, report)
      expect(await reportOf(tx, trip)).toEqual(report)
      const [{ key }] = await tx.rows<{ key: string }>('select key from location.report where trip = $1', [trip])
      expect(key).not.toBe(before)
      throw new Error('undo')
    })
    await expect(work).rejects.toThrow('undo')
    // The key that came with what was undone is none.
    await story.sound()
  })

  it('reads on after its wrapping key was changed, and the old one is of no use', async () => {
    const { store, settings } = story.world
    const before = fs.readFileSync(path.join(settings.dataDir, 'location.key'), 'utf8')
    await store.transaction((tx) => tx.vault.beginRotation(tx))
    expect(await store.transaction((tx) => tx.vault.rewrap(tx, 1))).toBe(1)
    // Stopped half way, both are needed and both are there.
    await expect(store.transaction((tx) => tx.vault.endRotation(tx))).rejects.toThrow('still wrapped')
    await story.sound()
    while ((await store.transaction((tx) => tx.vault.rewrap(tx, 1))) > 0);
    await store.transaction((tx) => tx.vault.endRotation(tx))
    const fresh = new Store(store.dataSource, new Vault(new KeyRing(settings)))
    expect(await fresh.transaction((tx) => pathOf(tx, trip))).not.toBeNull()
    fs.writeFileSync(path.join(settings.dataDir, 'old.key'), before)
    const old = new Vault(new KeyRing({ ...settings, keyFile: path.join(settings.dataDir, 'old.key') }))
    await expect(new Store(store.dataSource, old).transaction((tx) => pathOf(tx, trip))).rejects.toMatchObject({
      code: 'LOCATION_KEY',
    })
  })

  /** A data key of fixes as it is stored, and one batch that it sealed: what a thief of the database's files takes. */
  let stolen: { subject: string; period: string; wrapped: Buffer; payload: Buffer; batch: string }
  it('keeps fixes for 72 hours, no longer, and a hold keeps them longer', async () => {
    const { store, clock } = story.world
    const { account } = story.people
    ;[stolen] = await read<typeof stolen>(
      `select subject, period, wrapped, payload, format('batch %s/%s/%s %s %s', device, boot, seq, event, trip) as batch
       from location.batch b join location.data_key k on k.id = b.key order by seq limit 1`,
    )
    await store.transaction((tx) =>
      placeHold(tx, { id: 'case-1', account, placedBy: 'clerk', why: 'a court asks', placedAt: clock.now() }),
    )
    later(71 * HOUR)
    await story.sound()
    later(2 * HOUR)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await numberOf('location.batch')).toBeGreaterThan(0)
    await story.sound()
    await store.transaction((tx) => liftHold(tx, 'case-1', 'clerk', 'it does not any more', clock.now()))
    later(HOUR)
    await until('location.batch', 0)
    expect(await receipts()).toEqual([{ what: 'fixes', count: '1', keys: '1', reason: 'retention' }])
    expect(await numberOf(`location.data_key where subject = '${story.people.device}'`)).toBe(0)
    await story.sound()
  })

  it('leaves nothing that opens: what is left of a destroyed key in files is of no use when its wrapping key is changed', async () => {
    const { store, settings } = story.world
    const name = `data key of ${stolen.subject} ${stolen.period}`
    const wrapped = [{ name, bytes: Buffer.from(stolen.wrapped) }]
    /** A deleted row stays in its page until something else is written there; the log of changes has the same bytes as long as it has them. */
    const isLeft = async () => {
      await read('checkpoint')
      const [{ at }] = await store.read<{ at: number }>(
        `select position($1::bytea in pg_read_binary_file(pg_relation_filepath('location.data_key'))) as at`,
        [stolen.wrapped],
      )
      return at > 0
    }
    expect([await numberOf(`location.data_key where subject = '${stolen.subject}'`), await isLeft()]).toEqual([0, true])
    // With the key file that opens: destroyed keys are gone from the tables, not yet from the files.
    const running = new KeyRing(settings)
    const old = await running.newest()
    const [key] = await running.unwrap(old, wrapped)
    expect(openBytes(key, stolen.batch, stolen.payload).length).toBeGreaterThan(100)

    await store.transaction((tx) => tx.vault.beginRotation(tx))
    while ((await store.transaction((tx) => tx.vault.rewrap(tx, 100))) > 0);
    await store.transaction((tx) => tx.vault.endRotation(tx))
    // It is still there, and nothing that anybody has opens it: not the file, not a process that ran on.
    expect(await isLeft()).toBe(true)
    for (const ring of [running, new KeyRing(settings)]) {
      await expect(ring.unwrap(old, wrapped)).rejects.toMatchObject({ code: 'LOCATION_KEY' })
      await expect(ring.unwrap(await ring.newest(), wrapped)).rejects.toThrow(`${name} is not what was sealed`)
    }
    await story.sound()
  })

  it('says so to whoever asks, and knows a batch that is sent again', async () => {
    const { world, people } = story
    await expect(world.store.transaction((tx) => explainTrip(tx, trip, world.line))).rejects.toMatchObject({
      code: 'FIXES_GONE',
    })
    expect(await story.as('citizen', 'GET', `/v1/trips/${trip}/fixes`)).toMatchObject({
      status: 410,
      code: 'FIXES_GONE',
    })
    const device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
    for (const batch of driveAlong('there', 7, 7.02, at('2026-10-05T12:00:00+02:00'), 0)) await device.send(batch)
    await device.close()
    expect(await read('select received = accepted + duplicate as even, rejected from metering.stream')).toMatchObject([
      { even: true, rejected: '0' },
    ])
    expect(await numberOf('location.batch')).toBe(0)
    await story.sound()
  })

  it('keeps stretches until 30 days after payment; sums, proofs and the statement stay', async () => {
    const { world, people } = story
    const statement = await story.close('2026-10')
    const before = await story.ledger(`billed:${people.account}`)
    later(40 * DAY)
    await story.sound()
    expect(await numberOf('location.path')).toBe(1)
    await recordAtDesk(
      world.store,
      people.account,
      { statement: statement.id, amount: euro(0.16), currency: 'EUR', reference: 'r-1' },
      world.clock.now(),
    )
    // What a policy alongside would have charged says where, too, in zones of its own.
    await world.store.transaction(async (tx) => {
      await tx.run(`set local session_replication_role = replica`)
      await tx.run(
        `insert into metering.shadow_trip (agency, policy, revision, trip, charges) values ($1, 'fine', 1, $2, '[]')`,
        [people.agency, trip],
      )
    })
    later(29 * DAY)
    await story.sound()
    expect([await numberOf('location.path'), await numberOf('metering.shadow_trip')]).toEqual([1, 1])
    later(2 * DAY)
    await until('location.path', 0)
    expect(await numberOf('metering.shadow_trip')).toBe(0)
    expect(
      await world.store.transaction(async (tx) => [await reportOf(tx, trip), (await tripById(tx, trip))!.state]),
    ).toEqual([null, 'posted'])
    expect((await receipts()).map(({ what }) => what)).toEqual(['fixes', 'stretches'])
    expect(await numberOf('location.data_key')).toBe(0)
    await story.sound()
    recomputes(await story.statement('2026-10'))
    expect(before).toBe(160_000n)
    expect((await story.as('citizen', 'GET', `/v1/statements/${statement.id}/proof`)).status).toBe(200)
  })

  it('is receipted in the chain: whoever takes a receipt away is found', async () => {
    const { store } = story.world
    const audit = () => store.transaction((tx) => auditLedger((sql, given) => tx.rows(sql, given), []))
    expect((await audit()).faults).toEqual([])
    await store
      .transaction(async (tx) => {
        await tx.run(`alter table money.transfer disable trigger append_only`)
        await tx.run(
          `update money.transfer set transfer = jsonb_set(transfer, '{destroyed,count}', '7') where kind = 'destruction'`,
        )
        const faults = (await auditLedger((sql, given) => tx.rows(sql, given), [])).faults
        expect(faults[0].why).toBe('its content was changed')
        throw new Error('undo')
      })
      .catch((error: Error) => expect(error.message).toBe('undo'))
  })

  it('can still be questioned, within what is left: what needs no place is corrected, what needs one says so', async () => {
    const statement = await story.statement('2026-10')
    const asked = await story.as('citizen', 'POST', `/v1/statements/${statement.id}/disputes`, {
      trip,
      reason: 'wrong-road',
      text: 'it was in the garage',
    })
    expect(asked.status).toBe(201)
    const decide = (correction: unknown) =>
      story.as('agency', 'POST', `/v1/disputes/${asked.body.id}/decision`, {
        outcome: 'upheld',
        text: 'we believe it',
        correction,
      })
    expect(await decide({ kind: 'vehicle', vehicleClass: 'motorcycle' })).toMatchObject({
      status: 400,
      code: 'PLACES_GONE',
    })
    expect((await decide({ kind: 'not-driven' })).status).toBe(200)
    await story.sound()
  })
})
