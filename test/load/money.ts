import { fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { statementSchema } from '#contracts'
import { canonical, digest, InputError, instant, invariant, type AgencyId } from '#kernel'
import { merkleProof, merkleRoot, verifyProof } from '#ledger'
import { statementPdf } from '#pdf'
import { requestClose } from '#pipeline'
import { parsePolicy } from '#policy'
import { readSettings } from '#runtime'
import {
  beginCounting,
  countingOf,
  dataSourceOptions,
  filePolicy,
  openDataSource,
  periodOf,
  saveAgency,
  saveCounting,
  Store,
} from '#store'
import { draftStatement, statementDigest, verifyStatement } from '#statement'
import { creditsOf, octoberInput, TARIFF } from '../../libs/statement/src/month.fixture'
import { bench, elapsedMs, perSecond } from '../bench'
import { newDatabase } from '../databases'
import { BOOKS_TARIFF, drivenMonth } from './books'
import { type EngineMemory, type ToldTime } from './engine'

const MONTH = '2026-10'
/** By its index: gone through from its start, it is a table of work that is done. */
const WANTED = 'select 1 from metering.work where wanted > done and parked_at is null order by rung_at limit 1'
const FAILED = 'select last_error as error from metering.work where last_error is not null limit 1'
const TRIPS = 4
const LINES = 5
/** One process computes on one core at most; the database takes the rest. */
const ENGINES = 2
const at = (iso: string) => instant(Date.parse(iso))

interface Closed {
  readonly linesPerS: number
  readonly accountsPerS: number
  readonly rssMb: number
}

/** An engine in a process of its own, which begins when it is told the time. It answers with its memory at its largest so far, in MiB. */
async function openEngine(url: string) {
  const root = resolve(__dirname, '../..')
  const child = fork(resolve(root, 'infra/bench.cjs'), [resolve(__dirname, 'engine.ts')], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: url, ROADMETER_LOG: 'error', ROADMETER_SWEEP_MS: '1000' },
  })
  const answer = async () => ((await once(child, 'message')) as [EngineMemory])[0].rssMb
  await answer()
  return {
    tell(now: number): Promise<number> {
      child.send({ now } satisfies ToldTime)
      return answer()
    },
    async end(): Promise<void> {
      // What is still in hand is of no bill: engines may die at any moment.
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Posts and closes a month of `accounts` accounts through engines, on a database of its own. */
async function closeMonth(accounts: number): Promise<Closed> {
  const server = process.env.DATABASE_URL
  if (!server)
    throw new InputError(
      'DATABASE',
      'DATABASE_URL is not set: eval "$(infra/services.sh start FOLDER)", or add --accounts 0',
    )
  const database = await newDatabase(server)
  const source = await openDataSource(await dataSourceOptions(readSettings({ DATABASE_URL: database.url })), true)
  const engines: Awaited<ReturnType<typeof openEngine>>[] = []
  try {
    const store = new Store(source)
    const agency = 'bench-city' as AgencyId
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: agency, name: 'Bench City' })
      await filePolicy(tx, agency, parsePolicy(BOOKS_TARIFF), instant(0))
    })
    await drivenMonth(store, { agency, accounts, trips: TRIPS, lines: LINES })
    const done = async (isDone: () => Promise<boolean>) => {
      for (let asked = 1; !(await isDone()); asked++) {
        // It goes through all work that was ever done, so it is asked now and then: watching must not be what is measured.
        const failed = asked % 100 === 0 ? await store.read<{ error: string }>(FAILED) : []
        invariant(failed.length === 0, `the engine failed: ${failed[0]?.error}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    while (engines.length < ENGINES) engines.push(await openEngine(database.url))
    const tell = (now: string) => Promise.all(engines.map((engine) => engine.tell(at(now))))
    const postMs = await elapsedMs(async () => {
      await tell('2026-11-02T00:00:00Z')
      await done(async () => (await store.read(WANTED)).length === 0)
    })
    const reaches = (state: string) => done(async () => (await periodOf(store, agency, MONTH))?.state === state)
    const draftMs = await elapsedMs(async () => {
      await requestClose(store, agency, MONTH)
      // What analysts may see of a month is counted beside its close, of where people drove: nobody drove anywhere here.
      await store.transaction(async (tx) => {
        await beginCounting(tx, agency, MONTH)
        await saveCounting(tx, agency, MONTH, { ...(await countingOf(tx, agency, MONTH))!, finishedAt: instant(0) })
      })
      await reaches('drafted')
    })
    const sealMs = await elapsedMs(async () => {
      await tell('2026-11-14T00:00:00Z')
      await reaches('sealed')
    })
    const memory = await tell('2026-11-14T00:00:01Z')
    process.stderr.write(
      `${accounts} accounts: posted in ${Math.round(postMs)} ms, drafted in ${Math.round(draftMs)}, sealed in ${Math.round(sealMs)}\n`,
    )
    return {
      linesPerS: (1000 * accounts * TRIPS * LINES) / postMs,
      accountsPerS: (1000 * accounts) / (draftMs + sealMs),
      rssMb: Math.max(...memory),
    }
  } finally {
    await Promise.all(engines.map((engine) => engine.end()))
    await source.destroy()
    await database.drop()
  }
}

void bench('money', 'posting and closing a month, statements as PDF, verifying one', async (b) => {
  const { values } = parseArgs({ strict: false, options: { accounts: { type: 'string' } } })
  const accounts = Number(values['accounts'] ?? (b.quick ? 300 : 100_000))
  if (!Number.isSafeInteger(accounts) || accounts < 0)
    throw new InputError('ARGUMENT', `--accounts: expected a whole number, found ${String(values['accounts'])}`)
  if (accounts > 0) {
    // A tenth first: memory that is flat in the number of accounts is the same for both.
    const tenth = await closeMonth(Math.ceil(accounts / 10))
    const closed = await closeMonth(accounts)
    b.fact('close_accounts_per_s', 'accounts/s', closed.accountsPerS, ['>=', 100_000 / 120])
    b.fact('close_rss_mb', 'MiB', closed.rssMb)
    b.fact('close_rss_tenth_mb', 'MiB', tenth.rssMb)
    b.fact('lines_per_s', 'lines/s', closed.linesPerS, ['>=', 20_000])
  }
  // A statement like those of the closed month: some 20 lines. On one core: documents are made one after the other.
  const input = octoberInput()
  const trips = input.trips.slice(0, 6)
  const statement = draftStatement({ ...input, trips, capCredits: creditsOf(trips) })
  const json = canonical(statement)
  const leaves = Array.from({ length: 1000 }, (_, i) => digest(i))
  leaves[500] = statementDigest(statement)
  const [root, proof] = [merkleRoot(leaves), merkleProof(leaves, 500)]
  const count = b.quick ? 3 : 100
  b.measure(
    'pdf_per_s',
    'documents/s',
    () =>
      perSecond(count, async () => {
        for (let i = 0; i < count; i++) await statementPdf(statement, { root, proof })
      }),
    ['>=', 50],
  )
  b.measure(
    'verify_ms',
    'ms',
    () =>
      elapsedMs(() => {
        const read = statementSchema.parse(JSON.parse(json))
        invariant(verifyStatement(read, [TARIFF]).length === 0, 'the statement does not add up')
        invariant(verifyProof(statementDigest(read), proof, root), 'the proof does not hold')
      }),
    ['<', 100],
  )
})
