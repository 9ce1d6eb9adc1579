import { SCHEMAS, ISOLATION, type Role } from '#store'
import { AccessGuard } from '../../apps/api/src/access'
import { LETTERS, MATRIX } from './access-matrix'
import { openTenants, type Tenants, type Things } from './city'
import { routesOf } from './routes'

const ROLES = Object.keys(LETTERS) as Role[]
type Asker = keyof Tenants['tokens'] | 'anonymous' | 'invented'
const ASKERS: readonly Asker[] = [
  'anonymous',
  'invented',
  'neighbour',
  'stranger',
  'strangersAgency',
  'device',
  'strangersDevice',
  ...ROLES,
]
const WHOSE = ['own', 'neighbours', 'strangers', 'nobodys', 'deleted'] as const

const roleOf = (asker: Asker): Role | null =>
  asker === 'neighbour' || asker === 'stranger'
    ? 'citizen'
    : asker === 'strangersAgency'
      ? 'agency'
      : ROLES.includes(asker as Role)
        ? (asker as Role)
        : null
const isOfTwo = (asker: Asker) => asker.startsWith('stranger')

/** A route with somebody's things in its path; null where it names none of theirs. */
function concrete(path: string, things: Things): string {
  const [statement, dispute] = things.id.split('|')
  const values: Record<string, string> = {
    ...things,
    id: path.includes('/disputes/:id') ? dispute : path.startsWith('/v1/payments/') ? things.payment : statement,
    form: 'json',
    month: '2026-10',
    file: '0'.repeat(64),
    photo: '0'.repeat(64),
    z: '10',
    x: '532',
    y: '368',
  }
  return path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? 'x').replace('*', 'x')
}

describe('isolation', () => {
  let tenants: Tenants
  beforeAll(async () => void (tenants = await openTenants()))
  afterAll(() => tenants?.world.close())

  const ask = async (asker: Asker, method: string, path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${tenants.world.httpUrl}${path}`, {
      method,
      redirect: 'manual',
      body: method === 'GET' ? undefined : '{}',
      headers: {
        ...(asker === 'anonymous'
          ? {}
          : { authorization: `Bearer ${asker === 'invented' ? 'made-up' : tenants.tokens[asker]}` }),
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      },
    })
    // Events go on for as long as one listens: what comes first says whose they are.
    if (!/event-stream/.test(answer.headers.get('content-type') ?? ''))
      return { status: answer.status, text: await answer.text() }
    const reader = answer.body!.getReader()
    const { value } = await reader.read()
    await reader.cancel()
    return { status: answer.status, text: Buffer.from(value ?? []).toString() }
  }

  /** Whose secret words somebody may never be shown. */
  const hiddenFrom = (asker: Asker): string[] => {
    const { own, neighbours, strangers } = tenants.secrets
    const role = roleOf(asker)
    if (role === null) return [own, neighbours, strangers]
    if (asker === 'stranger' || asker === 'strangersAgency') return [own, neighbours]
    if (asker === 'neighbour') return [own, strangers]
    return role === 'citizen' ? [neighbours, strangers] : [strangers]
  }
  const leaks = (asker: Asker, text: string) => hiddenFrom(asker).filter((secret) => text.includes(secret))

  it('every table says whose its rows are', async () => {
    const rows = await tenants.world.store.read<{ name: string; forced: boolean }>(
      `select n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname = any($1::text[]) order by 1`,
      [SCHEMAS],
    )
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(ISOLATION).sort())
    expect(rows.filter(({ forced }) => !forced)).toEqual([])
  })

  it('every route that runs has a row in the one table, and each says who may use it', () => {
    expect(routesOf(tenants.world)).toEqual(Object.keys(MATRIX).sort())
  })

  it('every cell is as the table says: routes x who asks x whose it is', async () => {
    const wrong: string[] = []
    let cells = 0
    for (const [route, rule] of Object.entries(MATRIX)) {
      const [method, path] = route.split(' ')
      const isNamed = /:(id|vehicle|trip|payment|agency|device)\b/.test(path)
      for (const asker of ASKERS) {
        // Who may not ask at all is told so before anybody looks whose it is.
        const isRefused = rule !== 'device' && !(roleOf(asker) && rule.includes(LETTERS[roleOf(asker)!]))
        const named = !isNamed ? (['own'] as const) : isRefused ? (['own', 'strangers'] as const) : WHOSE
        const answers = new Map<string, { status: number; text: string }>()
        for (const whose of named) {
          if (route === 'POST /auth/logout' && asker !== 'anonymous') continue
          const answer = await ask(asker, method, concrete(path, tenants.things[whose]))
          const { text } = answer
          answers.set(whose, { status: answer.status, text })
          cells++
          const fault = (said: string) =>
            wrong.push(`${route} ${asker} ${whose}: ${said}, found ${answer.status} ${text.slice(0, 120)}`)
          if (leaks(asker, text).length > 0) fault('leaks')
          if (answer.status >= 500 && path !== '/verify.js') fault('fails')
          const role = roleOf(asker)
          const mayCall =
            rule === 'everyone' ||
            (role !== null && rule !== 'device' && rule !== 'forwarder' && rule.includes(LETTERS[role]))
          if (rule === 'everyone') {
            if ((answer.status === 401 && !/enter|callback/.test(path)) || answer.status === 403)
              fault('is for everyone')
          } else if (rule === 'device') {
            const its =
              (asker === 'device' && whose === 'own') || (asker === 'strangersDevice' && whose === 'strangers')
            if (its ? answer.status === 401 : answer.status !== 401)
              fault(its ? 'is its own' : 'is for the device of the path')
          } else if (rule === 'forwarder') {
            if (answer.status !== 401) fault('is for a forwarder')
          } else if (role === null) {
            if (answer.status !== 401) fault('asks who it is')
          } else if (!mayCall) {
            if (answer.status !== 403) fault('is not for this role')
          } else {
            if (answer.status === 401 || answer.status === 403) fault('is for this role')
            const isTheirs = isOfTwo(asker)
              ? whose === 'strangers'
              : asker === 'neighbour'
                ? whose === 'neighbours' || (whose === 'own' && !/:(id|vehicle|trip|payment)\b/.test(path))
                : whose === 'own' ||
                  (whose === 'neighbours' && role !== 'citizen') ||
                  (whose === 'neighbours' && !/:(id|vehicle|trip|payment)\b/.test(path))
            if (named.length > 1 && !isTheirs && answer.status < 400) fault("is somebody else's")
          }
        }
        // What is another's is answered as if there were none.
        const nowhere = answers.get('nobodys')
        const role = roleOf(asker)
        if (nowhere && role === 'citizen' && rule !== 'everyone' && nowhere.status === 404)
          for (const whose of asker === 'citizen'
            ? (['neighbours', 'strangers', 'deleted'] as const)
            : (['deleted'] as const)) {
            const other = answers.get(whose)!
            const anonymous = (text: string) => text.replaceAll(/vehicle [\w-]+|[0-9a-f]{32}/g, 'X')
            if (other.status !== 404 || anonymous(other.text) !== anonymous(nowhere.text))
              wrong.push(
                `${route} ${asker} ${whose}: is told from what there isn't: ${other.status} ${other.text} / ${nowhere.text}`,
              )
          }
      }
    }
    console.info(`${cells} cells`)
    expect(wrong).toEqual([])
  })

  it('with the guards off the database alone keeps tenants and citizens apart', async () => {
    const off = jest.spyOn(AccessGuard.prototype, 'canActivate').mockReturnValue(true)
    const before = await stateOf('two')
    try {
      const wrong: string[] = []
      for (const route of Object.keys(MATRIX)) {
        const [method, path] = route.split(' ')
        for (const asker of ASKERS.filter((one) => !isOfTwo(one)))
          for (const whose of ['neighbours', 'strangers'] as const) {
            const { text } = await ask(asker, method, concrete(path, tenants.things[whose]))
            if (leaks(asker, text).length > 0) wrong.push(`${route} ${asker} ${whose}: ${text.slice(0, 200)}`)
          }
      }
      expect(wrong).toEqual([])
    } finally {
      off.mockRestore()
    }
    expect(await stateOf('two')).toEqual(before)
  })

  it('the role that works for an agency may not touch where somebody was, whatever its rows say', async () => {
    const { store } = tenants.world
    const as = (side: 'citizen' | 'staff', table: string) =>
      store.within({ as: 'person', side, agency: 'city-one', account: 'account-one' }, () =>
        store.transaction((tx) => tx.rows(`select 1 from location.${table} limit 1`)),
      )
    for (const table of ['batch', 'path', 'report', 'fates']) {
      await expect(as('staff', table)).rejects.toThrow(`permission denied for table ${table}`)
      expect((await as('citizen', table)).length).toBeLessThanOrEqual(1)
    }
    for (const table of ['quarantine', 'tally', 'segment_count'])
      for (const side of ['staff', 'citizen'] as const)
        await expect(as(side, table)).rejects.toThrow(`permission denied for table ${table}`)
  })

  it('people asking at once, with errors and broken connections, get nothing of each other', async () => {
    const many = Number(process.env.ISOLATION_REQUESTS ?? 2_000)
    const askers = ['citizen', 'neighbour', 'stranger', 'agency', 'strangersAgency', 'anonymous'] as const
    const paths = [
      '/v1/statements',
      '/v1/me',
      '/v1/vehicles',
      '/v1/disputes',
      '/v1/balance',
      '/v1/payments',
      '/v1/agencies/city-one/drafts',
      '/v1/agencies/city-one/dashboard',
      '/v1/statements/x.json',
      '/v1/agencies/city-two/reviews',
    ]
    let leaked = 0
    let broken = 0
    let next = 0
    const worker = async () => {
      for (let i = next++; i < many; i = next++) {
        const asker = askers[i % askers.length]
        const stop = new AbortController()
        if (i % 7 === 0) setTimeout(() => stop.abort(), i % 5)
        try {
          const answer = await fetch(`${tenants.world.httpUrl}${paths[Math.floor(i / askers.length) % paths.length]}`, {
            signal: stop.signal,
            headers: asker === 'anonymous' ? {} : { authorization: `Bearer ${tenants.tokens[asker]}` },
          })
          if (leaks(asker, await answer.text()).length > 0) leaked++
        } catch {
          broken++
        }
      }
    }
    await Promise.all(Array.from({ length: 24 }, worker))
    expect([leaked, broken > 0]).toEqual([0, true])
    // And nobody is left as whom the last one was.
    expect(
      await tenants.world.store.read(
        `select current_setting('roadmeter.account', true) as who, current_user not in ('roadmeter_person', 'roadmeter_citizen') as free`,
      ),
    ).toEqual([{ who: expect.stringMatching(/^$/), free: true }])
  })

  const stateOf = async (suffix: string) => {
    const account = `account-${suffix}`
    const counts = await tenants.world.store.read(
      `select (select count(*) from money.transfer where payer = $1) as transfers, (select count(*) from money.dispute where account = $1) as disputes,
         (select count(*) from money.dispute_step s join money.dispute d on d.id = s.dispute where d.account = $1) as steps,
         (select count(*) from money.payment where account = $1) as payments, (select count(*) from metering.vehicle where account = $1) as vehicles,
         (select string_agg(floor || ' ' || top_up, ',') from money.wallet_plan where account = $1) as wallet,
         (select count(*) from metering.method_choice where vehicle = 'vehicle-' || $2) as methods`,
      [account, suffix],
    )
    return counts
  }
})
