import { SCHEMAS, ISOLATION, type Role } from '#store'
import { AccessGuard } from '../../apps/api/src/access'
import { LETTERS, MATRIX, REQUESTS } from './access-matrix'
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
/** `smuggled` is another city's thing under the own one's path. */
const WHOSE = ['own', 'neighbours', 'strangers', 'smuggled', 'nobodys', 'deleted'] as const
type Whose = (typeof WHOSE)[number]
/** What is somebody's, in a path. */
const NAMED = /:(id|vehicle|trip|payment|agency|device)\b/
/** All but the agency. */
const PERSONAL = /:(id|vehicle|trip|payment|device)\b/

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
    y: '368.pbf',
  }
  return path.replace(/:(\w+)/g, (_, name: string) => values[name] ?? 'x').replace('*', 'x')
}

describe('isolation', () => {
  let tenants: Tenants
  beforeAll(async () => void (tenants = await openTenants()))
  afterAll(() => tenants?.world.close())

  /** Whose things an asker names: in a city of two, the other city's are those of the first. */
  const thingsFor = (asker: Asker, whose: Whose): Things => {
    const { own, strangers } = tenants.things
    if (whose !== 'smuggled') return tenants.things[whose]
    return isOfTwo(asker) ? { ...own, agency: strangers.agency } : { ...strangers, agency: own.agency }
  }
  const ask = async (
    asker: Asker,
    route: string,
    whose: Whose,
    isWhole: boolean,
  ): Promise<{ status: number; text: string }> => {
    const [method, path] = route.split(' ')
    const { query = '', body = {}, type = 'application/json' } = REQUESTS[route] ?? {}
    const things = thingsFor(asker, whose)
    const answer = await fetch(`${tenants.world.httpUrl}${concrete(path + query, things)}`, {
      method,
      redirect: 'manual',
      body:
        method === 'GET'
          ? undefined
          : isWhole
            ? JSON.stringify(body).replace('":trip"', JSON.stringify(things.trip))
            : '{}',
      headers: {
        ...(asker === 'anonymous'
          ? {}
          : { authorization: `Bearer ${asker === 'invented' ? 'made-up' : tenants.tokens[asker]}` }),
        ...(method === 'GET' ? {} : { 'content-type': isWhole ? type : 'application/json' }),
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

  const mayCall = (rule: string, asker: Asker): boolean => {
    const role = roleOf(asker)
    return role !== null && rule !== 'device' && rule !== 'forwarder' && rule.includes(LETTERS[role])
  }
  const isTheirs = (path: string, asker: Asker, whose: Whose): boolean => {
    const isPersonal = PERSONAL.test(path)
    if (whose === 'smuggled') return !isPersonal && /:agency/.test(path)
    if (isOfTwo(asker)) return whose === 'strangers'
    if (whose === 'own') return asker !== 'neighbour' || !isPersonal
    return whose === 'neighbours' && (asker === 'neighbour' || roleOf(asker) !== 'citizen' || !isPersonal)
  }
  /** The one status that a cell may have. */
  const expectedOf = (route: string, rule: string, asker: Asker, whose: Whose): number => {
    const [, path] = route.split(' ')
    const { own = 200, others = 404 } = REQUESTS[route] ?? {}
    const isNowhere = whose === 'nobodys' || whose === 'deleted'
    if (rule === 'everyone') return isNowhere && /:agency/.test(path) ? others : own
    if (rule === 'device') {
      const its = asker === 'device' ? 'own' : asker === 'strangersDevice' ? 'strangers' : null
      return whose === its ? own : 401
    }
    if (rule === 'forwarder' || roleOf(asker) === null) return 401
    if (!mayCall(rule, asker)) return 403
    const names = /:(id|vehicle|trip|payment|agency)\b/.test(path)
    return !names || isTheirs(path, asker, whose) ? own : others
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
      const [, path] = route.split(' ')
      const named = NAMED.test(path) ? WHOSE : (['own'] as const)
      const ofOne = async (asker: Asker) => {
        const answers = new Map<Whose, { status: number; text: string }>()
        for (const whose of named) {
          if (route === 'POST /auth/logout' && asker !== 'anonymous') continue
          // What is understood is sent where it must not be done.
          const isForbidden = mayCall(rule, asker) && !isTheirs(path, asker, whose)
          const answer = await ask(asker, route, whose, isForbidden)
          answers.set(whose, answer)
          cells++
          const { status, text } = answer
          const expected = expectedOf(route, rule, asker, whose)
          const found = `${route} ${asker} ${whose}: found ${status} ${text.slice(0, 120)}`
          if (status !== expected) wrong.push(`${found}, not ${expected}`)
          if (leaks(asker, text).length > 0) wrong.push(`${found}, which leaks`)
        }
        // What is another's is answered as if there were none.
        const nowhere = answers.get('nobodys')
        if (nowhere?.status !== 404 || !mayCall(rule, asker) || roleOf(asker) !== 'citizen') return
        for (const [whose, other] of answers) {
          if (isTheirs(path, asker, whose)) continue
          const anonymous = (text: string) => text.replaceAll(/vehicle [\w-]+|[0-9a-f]{32}/g, 'X')
          if (anonymous(other.text) !== anonymous(nowhere.text))
            wrong.push(`${route} ${asker} ${whose}: is told from what there isn't: ${other.text} / ${nowhere.text}`)
        }
      }
      await Promise.all(ASKERS.map(ofOne))
    }
    console.info(`${cells} cells`)
    expect(wrong).toEqual([])
    // 14 who ask, 6 whose it may be, wherever a route names somebody's.
    expect(cells).toBeGreaterThan(6_000)
  })

  it('with the guards off the database alone keeps tenants and citizens apart', async () => {
    const off = jest.spyOn(AccessGuard.prototype, 'canActivate').mockReturnValue(true)
    const before = await stateOf('two')
    try {
      const wrong: string[] = []
      for (const route of Object.keys(MATRIX)) {
        const ofOne = async (asker: Asker) => {
          for (const whose of NAMED.test(route)
            ? (['neighbours', 'strangers', 'smuggled'] as const)
            : (['own'] as const)) {
            const { text } = await ask(asker, route, whose, true)
            if (leaks(asker, text).length > 0) wrong.push(`${route} ${asker} ${whose}: ${text.slice(0, 200)}`)
          }
        }
        await Promise.all(ASKERS.filter((one) => !isOfTwo(one)).map(ofOne))
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
