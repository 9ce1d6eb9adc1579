import { InputError } from '#kernel'

interface Row<T> {
  readonly env: string
  readonly fallback: T
  /** Where the value may lie, in words; the reader enforces it. */
  readonly bounds: string
  readonly meaning: string
  readonly read: (text: string) => T | null
}

const text = (env: string, fallback: string, bounds: string, meaning: string, pattern = /^.*$/): Row<string> => ({
  env,
  fallback,
  bounds,
  meaning,
  read: (value) => (pattern.test(value) ? value : null),
})
const whole = (env: string, fallback: number, min: number, max: number, meaning: string): Row<number> => ({
  env,
  fallback,
  bounds: `whole number, ${min} to ${max}`,
  meaning,
  read: (value) => (/^\d{1,12}$/.test(value) && +value >= min && +value <= max ? +value : null),
})
const oneOf = <T extends string>(env: string, fallback: T, options: readonly T[], meaning: string): Row<T> => ({
  env,
  fallback,
  bounds: options.join(', '),
  meaning,
  read: (value) => options.find((option) => option === value) ?? null,
})

/** Every setting, once: its environment variable, default, bounds and meaning. The README's table is made from this. */
export const SETTINGS = {
  dataDir: text(
    'ROADMETER_DATA',
    './data',
    'folder',
    'Where the embedded database keeps its files. Unused with DATABASE_URL.',
  ),
  operatorKey: text(
    'ROADMETER_OPERATOR_KEY',
    '',
    'file',
    'The Ed25519 key that signs receipts, in PEM; made where there is none. Empty: operator.key in ROADMETER_DATA.',
  ),
  keyFile: text(
    'ROADMETER_KEY_FILE',
    '',
    'file',
    'The keys under which the keys of locations are kept; made where there is none. One file for all processes. Empty: location.key in ROADMETER_DATA.',
  ),
  keyService: text(
    'ROADMETER_KEY_SERVICE',
    '',
    'http(s)://… or empty',
    'A key service in place of that file: the address of a key of the transit engine of Vault or OpenBao, .../v1/transit/keys/NAME. Empty: the file.',
    /^(|https?:\/\/.+\/keys\/[A-Za-z0-9_.-]+)$/,
  ),
  keyServiceTokenFile: text(
    'ROADMETER_KEY_SERVICE_TOKEN_FILE',
    '',
    'file',
    'Holds the token for that service; read anew with each request, so that an agent may renew it.',
  ),
  databaseUrl: text(
    'DATABASE_URL',
    '',
    'postgres://… or empty',
    'PostgreSQL 15+ with PostGIS. Empty: embedded PostgreSQL in ROADMETER_DATA.',
    /^(|postgres(ql)?:\/\/.+)$/,
  ),
  databaseConnections: whole('ROADMETER_DATABASE_CONNECTIONS', 8, 1, 200, 'Connections of one process to PostgreSQL.'),
  mqttUrl: text(
    'MQTT_URL',
    '',
    'mqtt(s)://… or empty',
    'The MQTT broker. Empty: a broker of our own on ROADMETER_MQTT_PORT.',
    /^(|mqtts?:\/\/.+)$/,
  ),
  mqttUsername: text('MQTT_USERNAME', 'ingest', 'text', 'How ingest signs in at the broker.'),
  mqttPassword: text('MQTT_PASSWORD', '', 'text', 'How ingest signs in at the broker.'),
  mqttInstance: text(
    'ROADMETER_MQTT_INSTANCE',
    '',
    'up to 40 of A-Z a-z 0-9 - or empty',
    'Name of this ingest process at the broker, where batches wait for it through a restart. Empty: the name of the host, where one runs.',
    /^[A-Za-z0-9-]{0,40}$/,
  ),
  mqttConnections: whole(
    'ROADMETER_MQTT_CONNECTIONS',
    4,
    1,
    256,
    'Connections of one ingest process in the shared subscription.',
  ),
  mqttCertificate: text(
    'ROADMETER_MQTT_CERTIFICATE',
    '',
    'file',
    'Certificate chain of our own broker, in PEM: it then speaks TLS.',
  ),
  mqttKey: text('ROADMETER_MQTT_KEY', '', 'file', 'Private key of that certificate, in PEM.'),
  mqttAuthority: text(
    'ROADMETER_MQTT_AUTHORITY',
    '',
    'file',
    'Certificates, in PEM, of the authority whose devices sign in by certificate at our own broker. Empty: by token only.',
  ),
  traccarTopic: text(
    'ROADMETER_TRACCAR_TOPIC',
    '',
    'topic or empty',
    'Where a Traccar server forwards positions to. Empty: none does.',
    /^[^+#$\p{Cc}]*$/u,
  ),
  traccarPassword: text(
    'ROADMETER_TRACCAR_PASSWORD',
    '',
    'text',
    'How a Traccar server signs in, as traccar, at our own broker and over HTTP. Empty: it may not.',
  ),
  mqttHost: text('ROADMETER_MQTT_HOST', '127.0.0.1', 'address', 'Where our own broker listens.'),
  mqttPort: whole('ROADMETER_MQTT_PORT', 1883, 0, 65535, 'Where our own broker listens; 0 takes any free port.'),
  redisUrl: text(
    'REDIS_URL',
    '',
    'redis(s)://… or empty',
    'Redis for the work bell. Empty: a bell within the process.',
    /^(|rediss?:\/\/.+)$/,
  ),
  httpHost: text(
    'ROADMETER_HTTP_HOST',
    '127.0.0.1',
    'address',
    'Where the api, and the health pages of ingest and engine, listen.',
  ),
  httpPort: whole('ROADMETER_HTTP_PORT', 3000, 0, 65535, 'Where the api listens; 0 takes any free port.'),
  healthPort: whole(
    'ROADMETER_HEALTH_PORT',
    9464,
    0,
    65535,
    'Where ingest and engine answer /healthz, /readyz and /metrics, and the api /metrics.',
  ),
  publicUrl: text(
    'ROADMETER_PUBLIC_URL',
    '',
    'http(s)://… or empty',
    'How people reach the api, for links. Empty: the address it listens on.',
    /^(|https?:\/\/.+)$/,
  ),
  proxyHops: whole(
    'ROADMETER_PROXY_HOPS',
    0,
    0,
    10,
    'Proxies of our own before the api, exactly: whose word on where a request comes from is taken.',
  ),
  requestsPerMinute: whole(
    'ROADMETER_REQUESTS_PER_MINUTE',
    3_000,
    20,
    100_000_000,
    'Requests of one person, machine or (of nobody) address that are answered in a minute; for signing in a twentieth, by address; of a Traccar server a hundred times as many.',
  ),
  oidcIssuer: text(
    'ROADMETER_OIDC_ISSUER',
    '',
    'http(s)://…, demo or empty',
    'The OpenID Connect provider that people sign in at. demo: one with made-up people, on this machine only. Empty: by the link that they were handed.',
    /^(|demo|https?:\/\/.+)$/,
  ),
  oidcClientId: text('ROADMETER_OIDC_CLIENT_ID', 'roadmeter', 'text', 'Who we are to that provider.'),
  oidcClientSecretFile: text(
    'ROADMETER_OIDC_CLIENT_SECRET_FILE',
    '',
    'file',
    'Holds the secret that the provider gave us. Empty: a public client, by PKCE alone.',
  ),
  sessionIdleMs: whole(
    'ROADMETER_SESSION_IDLE_MS',
    1_800_000,
    60_000,
    86_400_000,
    'A session that is not used for this long is over.',
  ),
  sessionSpanMs: whole(
    'ROADMETER_SESSION_MS',
    43_200_000,
    300_000,
    604_800_000,
    'A session is over this long after signing in, used or not.',
  ),
  token: text(
    'ROADMETER_TOKEN',
    '',
    'text',
    'Who acts at the command line, where that matters: the access token of an editor or approver.',
  ),
  payments: oneOf(
    'ROADMETER_PAYMENTS',
    'none',
    ['none', 'local', 'stripe'],
    'Who takes payments: nobody but the desk, a provider of worthless money for demonstrations, or Stripe.',
  ),
  paymentSecret: text(
    'ROADMETER_PAYMENT_SECRET',
    '',
    'text',
    'The secret by which the payment provider signs its messages.',
  ),
  stripeKey: text('STRIPE_SECRET_KEY', '', 'text', 'How payments are asked for at Stripe.'),
  stripeUrl: text(
    'STRIPE_API_URL',
    '',
    'http(s)://… or empty',
    'Somebody else who speaks its api. Empty: Stripe itself.',
    /^(|https?:\/\/.+)$/,
  ),
  logLevel: oneOf(
    'ROADMETER_LOG',
    'info',
    ['silent', 'error', 'warn', 'info', 'debug'],
    'How much is logged, as JSON lines on standard error.',
  ),
  groupCommitMs: whole(
    'ROADMETER_GROUP_COMMIT_MS',
    10,
    0,
    1000,
    'Longest time that a batch waits for others to share its commit.',
  ),
  groupCommitBatches: whole('ROADMETER_GROUP_COMMIT_BATCHES', 500, 1, 2000, 'Most batches in one commit.'),
  workAttempts: whole(
    'ROADMETER_WORK_ATTEMPTS',
    12,
    1,
    1000,
    'Attempts at a piece of work that fails before it is parked for an operator to look at.',
  ),
  engineWorkers: whole(
    'ROADMETER_ENGINE_WORKERS',
    2,
    1,
    64,
    'Pieces of work that one engine process has in hand at once.',
  ),
  leaseMs: whole(
    'ROADMETER_LEASE_MS',
    60_000,
    1_000,
    3_600_000,
    'How long claimed work is left to its worker before another may claim it.',
  ),
  headsFile: text(
    'ROADMETER_HEADS_FILE',
    '',
    'file',
    'Where the heads of the ledger are written, a line at a time: best where no administrator of the database can write. Empty: nowhere.',
  ),
  headsMs: whole('ROADMETER_HEADS_MS', 3_600_000, 1000, 86_400_000, 'How often.'),
  reconcileMs: whole(
    'ROADMETER_RECONCILE_MS',
    86_400_000,
    0,
    2_678_400_000,
    'How often an engine checks the invariants, 2,000 trips and statements made again each time; 0: never.',
  ),
  sweepMs: whole('ROADMETER_SWEEP_MS', 5_000, 50, 3_600_000, 'How often work that is due is rung again.'),
  backtestThreads: whole(
    'ROADMETER_BACKTEST_THREADS',
    2,
    0,
    64,
    'Threads that rate past trips again for a backtest; 0: the thread of whoever does the work.',
  ),
  backtestTrips: whole(
    'ROADMETER_BACKTEST_TRIPS',
    4_000,
    1,
    100_000,
    'Past trips that a backtest rates in one transaction: what a crash repeats, and how often progress is seen.',
  ),
  tripRestMs: whole(
    'ROADMETER_TRIP_REST_MS',
    1_800_000,
    60_000,
    86_400_000,
    'A trip without an end message ends where its fixes rest for this long.',
  ),
  gapWaitMs: whole(
    'ROADMETER_GAP_WAIT_MS',
    604_800_000,
    60_000,
    3_024_000_000,
    'How long metering waits for a missing batch before it is recorded as a gap, and for the rest of a trip that nobody ended.',
  ),
  keepFixesHours: whole(
    'ROADMETER_KEEP_FIXES_HOURS',
    72,
    0,
    87_600,
    'How long fixes are kept after their trip is matched, unless their citizen asks for longer or a dispute needs them.',
  ),
  keepStretchesDays: whole(
    'ROADMETER_KEEP_STRETCHES_DAYS',
    30,
    0,
    365,
    'How long the stretches of a trip are kept after its statement is paid or a dispute about it ends, where the policy names no day.',
  ),
  keepUnpaidDays: whole(
    'ROADMETER_KEEP_UNPAID_DAYS',
    365,
    30,
    3_650,
    'How long they are kept at most after the seal of a statement that nobody pays.',
  ),
  keepRejectedHours: whole(
    'ROADMETER_KEEP_REJECTED_HOURS',
    168,
    1,
    87_600,
    'How long messages that were rejected are kept for somebody to look at.',
  ),
} as const satisfies Record<string, Row<string> | Row<number>>

export type Settings = { readonly [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]['read']> & {} }

export const SETTINGS_OF_PROCESS = Symbol('Settings')

/** What was given, as it may be printed: without passwords, be it one or an address that holds one. */
function unsecret(env: string, given: string): string {
  if (/PASSWORD|TOKEN/.test(env)) return '***'
  // Up to the last @, which a password may hold too; where anything is odd, rather too much is hidden than too little.
  return JSON.stringify(env.endsWith('_URL') ? given.replace(/^([a-z][a-z0-9+.-]*:\/+)?.*@/is, '$1***@') : given)
}

/** Reads every setting from an environment. Throws one InputError that names all variables that are wrong. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const faults: { path: string; expected: string; found: string }[] = []
  const settings: Record<string, string | number> = {}
  for (const [name, row] of Object.entries(SETTINGS)) {
    const given = environment[row.env]
    const value = given === undefined ? row.fallback : row.read(given)
    if (value === null)
      faults.push({
        path: row.env,
        expected: row.bounds,
        found: unsecret(row.env, given!),
      })
    else settings[name] = value
  }
  if (faults.length)
    throw new InputError(
      'SETTINGS',
      faults.map((f) => `${f.path} must be ${f.expected}, found ${f.found}`).join('; '),
      faults,
    )
  return settings as Settings
}

/** The settings of this process; `otherwise` gives defaults of its own to variables that are not set. */
export const settingsOfProcess = (otherwise: Readonly<Record<string, string>> = {}): Settings =>
  readSettings({ ...otherwise, ...process.env })
