import * as fc from 'fast-check'
import { digest, instant, type AgencyId, type Digest } from '#kernel'
import { parsePolicy, policyDigest } from '#policy'
import { addRevision, filePolicy, nameOfficer, saveAgency, type Store, type Tx } from '#store'
import { TARIFF } from '../scenarios/roads'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))
const EDITORS = ['ada', 'bob', 'cleo']
const APPROVERS = ['bob', 'cleo', 'dan']
/** Reads and adds, as the programs do; owns nothing, so no trigger stops for it. */
const ROLE = 'roadmeter_four_eyes_test'

/** What the rule of four eyes is worth where nobody asks the program: to whoever may write SQL in the application's name. */
export function fourEyesSuite(opened: () => Store): void {
  let store: Store
  let agencies = 0
  beforeAll(async () => {
    store = opened()
    await store.transaction(async (tx) => {
      await tx.run(`drop role if exists ${ROLE}`)
      await tx.run(`create role ${ROLE}`)
      await tx.run(`grant usage on schema tariff, metering to ${ROLE}`)
      await tx.run(`grant select, insert on all tables in schema tariff, metering to ${ROLE}`)
      await tx.run(`revoke insert on tariff.officer from ${ROLE}`)
      // Whose rows are whose is another rule's business, and another suite's.
      await tx.run(`do $$ declare name text; begin
        for name in select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('tariff', 'metering') loop
          execute 'create policy four_eyes_test on ' || name || ' to ${ROLE} using (true) with check (true)';
        end loop; end $$`)
    })
  })
  afterAll(() =>
    store.transaction(async (tx) => {
      await tx.run(`drop owned by ${ROLE}`)
      await tx.run(`drop role ${ROLE}`)
    }),
  )

  const asApplication = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    store.transaction(async (tx) => {
      await tx.run(`set local role ${ROLE}`)
      return work(tx)
    })
  const city = async (): Promise<AgencyId> => {
    const agency = `eyes-city-${++agencies}` as AgencyId
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: agency, name: 'Eyes' })
      for (const person of EDITORS) await nameOfficer(tx, { agency, person, role: 'editor', name: person }, NOW)
      for (const person of APPROVERS) await nameOfficer(tx, { agency, person, role: 'approver', name: person }, NOW)
    })
    return agency
  }
  const policy = (revision: number) =>
    parsePolicy({ ...TARIFF, startsAt: '2027-01-01T00:00:00+01:00', description: `revision ${revision}` })
  const write = (agency: AgencyId, revision: number, author: string) =>
    asApplication((tx) =>
      addRevision(tx, agency, policy(revision), {
        revision,
        digest: policyDigest(policy(revision)),
        author,
        reason: 'written',
        at: NOW,
      }),
    )
  const evidenceOf = (agency: AgencyId, revision: number): Digest => digest([agency, revision])
  /** A finished backtest, as far as the rule is concerned. */
  const backtest = (agency: AgencyId, revision: number, person: string) =>
    asApplication(async (tx) => {
      const id = `${agency}-${revision}`
      await tx.run(
        `insert into tariff.backtest (id, agency, policy, revision, months, person, role, requested_at, trips) values ($1, $2, $3, $4, '{2026-09}', $5, 'editor', 0, 0) on conflict do nothing`,
        [id, agency, TARIFF.id, revision, person],
      )
      await tx.run(
        `insert into tariff.backtest_result (backtest, digest, result, finished_at) values ($1, $2, '{}', 0) on conflict do nothing`,
        [id, evidenceOf(agency, revision)],
      )
    })
  const take = (agency: AgencyId, revision: number, step: string, person: string, role: string) =>
    asApplication((tx) =>
      tx.run(
        `insert into tariff.step (agency, policy, revision, index, step, person, role, reason, recorded_at, evidence)
         values ($1, $2, $3, (select count(*) from tariff.step where agency = $1 and policy = $2 and revision = $3), $4, $5, $6, 'why', $7, $8)`,
        [
          agency,
          TARIFF.id,
          revision,
          step,
          person,
          role,
          NOW,
          ['checked', 'backtested', 'approved'].includes(step) ? evidenceOf(agency, revision) : null,
        ],
      ),
    )
  const publish = (agency: AgencyId, revision: number, recordedAt: number = NOW) =>
    asApplication((tx) =>
      tx.run(
        `insert into tariff.policy (agency, id, digest, document, starts_at, recorded_at) values ($1, $2, $3, $4, $5, $6)`,
        [
          agency,
          TARIFF.id,
          policyDigest(policy(revision)),
          JSON.stringify(policy(revision)),
          Date.parse(policy(revision).startsAt),
          recordedAt,
        ],
      ),
    )
  async function submitted(author: string, submitter: string): Promise<AgencyId> {
    const agency = await city()
    await write(agency, 1, author)
    await backtest(agency, 1, author)
    for (const step of ['checked', 'backtested', 'submitted']) await take(agency, 1, step, submitter, 'editor')
    return agency
  }

  it('lets nobody approve what they wrote or submitted, in whatever office, by SQL either', async () => {
    const agency = await submitted('bob', 'cleo')
    await expect(take(agency, 1, 'approved', 'bob', 'approver')).rejects.toThrow('this person has written it')
    await expect(take(agency, 1, 'approved', 'cleo', 'approver')).rejects.toThrow('this person has submitted it')
    await expect(take(agency, 1, 'approved', 'ada', 'editor')).rejects.toThrow(/check constraint/)
    await expect(take(agency, 1, 'approved', 'ada', 'approver')).rejects.toThrow(/foreign key/)
    await expect(take(agency, 1, 'approved', 'nobody', 'approver')).rejects.toThrow(/foreign key/)
    await expect(publish(agency, 1)).rejects.toThrow('was not approved by a second person')
    expect(await take(agency, 1, 'approved', 'dan', 'approver')).toBe(1)
    await expect(publish(agency, 1)).rejects.toThrow('was not approved')
    expect(await take(agency, 1, 'scheduled', 'bob', 'editor')).toBe(1)
    expect(await publish(agency, 1)).toBe(1)
  })

  it('lets an edit leave approvals behind, also one by the approver', async () => {
    const agency = await submitted('ada', 'ada')
    await take(agency, 1, 'approved', 'bob', 'approver')
    await write(agency, 2, 'bob')
    await expect(take(agency, 1, 'scheduled', 'ada', 'editor')).rejects.toThrow('edited since')
    await expect(publish(agency, 1)).rejects.toThrow('was not approved')
    await expect(take(agency, 2, 'approved', 'dan', 'approver')).rejects.toThrow('not submitted')
    await expect(publish(agency, 2)).rejects.toThrow('was not approved')
    await backtest(agency, 2, 'bob')
    for (const step of ['checked', 'backtested', 'submitted']) await take(agency, 2, step, 'cleo', 'editor')
    // Whoever wrote any of it has written it.
    await expect(take(agency, 2, 'approved', 'bob', 'approver')).rejects.toThrow('has written it')
    await take(agency, 2, 'approved', 'dan', 'approver')
    await take(agency, 2, 'scheduled', 'dan', 'approver')
    await expect(publish(agency, 1)).rejects.toThrow('was not approved')
    expect(await publish(agency, 2)).toBe(1)
    await expect(write(agency, 3, 'ada')).rejects.toThrow('published and never changes')
  })

  it('takes no approval without a check and a backtest of this very revision', async () => {
    const agency = await city()
    await write(agency, 1, 'ada')
    await expect(take(agency, 1, 'submitted', 'ada', 'editor')).rejects.toThrow('not checked')
    await take(agency, 1, 'checked', 'ada', 'editor')
    await expect(take(agency, 1, 'submitted', 'ada', 'editor')).rejects.toThrow('no backtest')
    await expect(take(agency, 1, 'backtested', 'ada', 'editor')).rejects.toThrow('not of this revision')
    await backtest(agency, 1, 'ada')
    await take(agency, 1, 'backtested', 'ada', 'editor')
    await write(agency, 2, 'ada')
    await take(agency, 2, 'checked', 'ada', 'editor')
    await expect(
      asApplication((tx) =>
        tx.run(
          `insert into tariff.step (agency, policy, revision, index, step, person, role, reason, recorded_at, evidence) values ($1, $2, 2, 1, 'backtested', 'ada', 'editor', 'why', 0, $3)`,
          [agency, TARIFF.id, evidenceOf(agency, 1)],
        ),
      ),
    ).rejects.toThrow('not of this revision')
  })

  it('asks for notice, and for the approved document to the letter', async () => {
    const agency = await submitted('ada', 'ada')
    await take(agency, 1, 'approved', 'bob', 'approver')
    await take(agency, 1, 'scheduled', 'ada', 'editor')
    await expect(publish(agency, 1, Date.parse('2026-12-15T00:00:00+01:00'))).rejects.toThrow('notice of 30 days')
    const other = { ...policy(1), caps: [] }
    await expect(
      asApplication((tx) =>
        tx.run(`insert into tariff.policy values ($1, $2, $3, $4, $5, $6)`, [
          agency,
          TARIFF.id,
          policyDigest(policy(1)),
          JSON.stringify(other),
          Date.parse(other.startsAt),
          NOW,
        ]),
      ),
    ).rejects.toThrow('was not approved')
    await publish(agency, 1)
    await expect(
      asApplication((tx) =>
        tx.run(
          `insert into tariff.zone (agency, policy, id, name, shape) values ($1, $2, 'west', 'West', ST_MakeEnvelope(7, 44.9, 7.05, 45.1, 4326))`,
          [agency, TARIFF.id],
        ),
      ),
    ).rejects.toThrow('no such zone')
  })

  it('leaves no way around it from the first approver on', async () => {
    const agency = 'eyes-city-direct' as AgencyId
    const file = (id: string, startsAt: string) =>
      store.transaction((tx) => filePolicy(tx, agency, parsePolicy({ ...TARIFF, id, startsAt }), NOW))
    await store.transaction((tx) => saveAgency(tx, { id: agency, name: 'Direct' }))
    await file('before', '2027-01-01T00:00:00+01:00')
    await store.transaction((tx) => nameOfficer(tx, { agency, person: 'dan', role: 'approver', name: 'Dan' }, NOW))
    await expect(file('after', '2028-01-01T00:00:00+01:00')).rejects.toMatchObject({ code: 'FOUR_EYES' })
    await expect(publish(agency, 1)).rejects.toThrow('was not approved')
    for (const table of ['tariff.officer', 'tariff.step', 'tariff.revision', 'tariff.notice', 'tariff.backtest_result'])
      await expect(asApplication((tx) => tx.run(`delete from ${table}`))).rejects.toThrow(/permission denied/)
    await expect(
      asApplication((tx) => nameOfficer(tx, { agency, person: 'me', role: 'approver', name: 'Me' }, NOW)),
    ).rejects.toThrow(/permission denied/)
    // Nor does whoever owns the tables take a fact away, short of taking the triggers away first.
    await expect(store.transaction((tx) => tx.run('delete from tariff.officer'))).rejects.toThrow('append-only')
  })

  it('holds whatever is tried in whatever order', async () => {
    const attempt = fc.oneof(
      { weight: 2, arbitrary: fc.record({ what: fc.constant('write'), person: fc.constantFrom(...EDITORS) }) },
      {
        weight: 8,
        arbitrary: fc.record({
          what: fc.constantFrom('checked', 'backtested', 'submitted', 'approved', 'approved', 'scheduled', 'publish'),
          person: fc.constantFrom(...EDITORS, ...APPROVERS),
        }),
      },
    )
    let published = 0
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 8, maxLength: 24 }), async (attempts) => {
        const agency = await city()
        const authors: string[] = []
        let approvers: string[] = []
        for (const { what, person } of attempts) {
          const revision = authors.length
          const refused = (work: Promise<unknown>) =>
            work.then(
              () => false,
              () => true,
            )
          if (what === 'write') {
            if (!(await refused(write(agency, revision + 1, person)))) {
              authors.push(person)
              approvers = []
            }
          } else if (revision === 0) continue
          else if (what === 'publish') {
            if (await refused(publish(agency, revision))) continue
            published++
            // Somebody who has written no revision of it has approved this very one.
            expect(approvers.some((approver) => !authors.includes(approver))).toBe(true)
          } else {
            if (what === 'backtested') await backtest(agency, revision, 'ada')
            const role = what === 'approved' || !EDITORS.includes(person) ? 'approver' : 'editor'
            if (!(await refused(take(agency, revision, what, person, role))) && what === 'approved')
              approvers.push(person)
          }
        }
      }),
      { numRuns: 40, seed: 5, examples: [[LAWFUL]] },
    )
    expect(published).toBeGreaterThan(0)
  })
}

const LAWFUL = [
  { what: 'write', person: 'ada' },
  { what: 'checked', person: 'ada' },
  { what: 'backtested', person: 'ada' },
  { what: 'submitted', person: 'ada' },
  { what: 'approved', person: 'dan' },
  { what: 'scheduled', person: 'ada' },
  { what: 'publish', person: 'ada' },
]
