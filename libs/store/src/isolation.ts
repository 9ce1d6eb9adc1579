import { digest, InputError } from '#kernel'
import { CITIZEN, MACHINE, PERSON } from './scope'
import { type Tx } from './store'

const setting = (name: string) => `(select current_setting('roadmeter.${name}', true))`
const OF_AGENCY = `agency = ${setting('agency')}`
const IS_STAFF = `${setting('side')} = 'staff'`
const IS_CITIZEN = `${setting('side')} = 'citizen'`
const isOwn = (column: string) => `${OF_AGENCY} and (${IS_STAFF} or ${column} = ${setting('account')})`
const has = (parent: string, column: string, key = 'id') =>
  `exists (select 1 from ${parent} p where p.${key} = TABLE.${column})`

/** Which rows of a TABLE a person's request sees and writes, as a condition; `reads` where it sees more than it may write. */
interface Rule {
  readonly rows: string | null
  readonly reads?: string
  readonly stays?: boolean
  /** Only the role of citizens may touch the table at all: whoever asks for an agency is refused before any row is looked at. */
  readonly isJourney?: boolean
}

/** Nobody's but the machines'. */
const machines: Rule = { rows: null }
/** For everybody to read, and nobody to write. */
const published: Rule = { rows: null, reads: 'true' }
/** For everybody to read, and for the agency to write. */
const publishedByAgency: Rule = { rows: `${OF_AGENCY} and ${IS_STAFF}`, reads: 'true' }
/** Counters and queues without a tenant: names and digests, no content. Nobody takes any away. */
const shared: Rule = { rows: 'true', stays: true }
const ofAgency: Rule = { rows: OF_AGENCY }
const ofStaff: Rule = { rows: `${OF_AGENCY} and ${IS_STAFF}` }
const ofAccount = (column = 'account'): Rule => ({ rows: isOwn(column) })
/** Rows that name a row of another table are whose that one is: its own rule decides. */
const alongside = (parent: string, column: string, key?: string): Rule => ({ rows: has(parent, column, key) })
const ofAccountsRow = alongside('metering.account', 'account')
const ofVehicle = alongside('metering.vehicle', 'vehicle')
const ofDevice = alongside('metering.device', 'device')
const ofTrip = alongside('metering.trip', 'trip')
/** Where somebody was: for the citizen alone, also where the agency may see that there was a trip. */
const journeyOf = ({ rows }: Rule): Rule => ({ rows: `${IS_CITIZEN} and ${rows}`, isJourney: true })

/**
 * Whose every table's rows are: the one place that says it. A table that isn't here is closed to people, and a test names it.
 * A table of one's own takes one line: `'location.key': journeyOf(ofVehicle)`.
 */
export const ISOLATION: Readonly<Record<string, Rule>> = {
  'identity.session': machines,
  'identity.sign_in': machines,
  'identity.subject': machines,

  'location.batch': {
    rows: `${IS_CITIZEN} and exists (select 1 from metering.trip t where t.device = TABLE.device and t.boot = TABLE.boot and TABLE.seq between t.first_seq and t.last_seq)`,
    isJourney: true,
  },
  'location.bridged': machines,
  // Wrapped: what wraps them is in a file. A sealed row is read only where its own rule lets it be.
  'location.data_key': shared,
  // By questioning a line its citizen shows it to the agency.
  'location.evidence': alongside('money.dispute', 'dispute'),
  'location.fates': journeyOf(ofTrip),
  'location.path': journeyOf(ofTrip),
  'location.quarantine': machines,
  'location.report': journeyOf(ofTrip),
  'location.segment_count': machines,
  'location.tally': machines,
  'location.wrapping_key': shared,

  'metering.access_log': ofAccountsRow,
  'metering.access_token': machines,
  'metering.account': { rows: isOwn('id') },
  'metering.agency': published,
  'metering.balance': machines,
  'metering.break_glass': ofAccount(),
  'metering.break_glass_approval': alongside('metering.break_glass', 'request'),
  'metering.device': ofVehicle,
  'metering.device_alarm': ofDevice,
  'metering.device_key': ofDevice,
  'metering.device_presence': ofDevice,
  'metering.duty': machines,
  'metering.erasure_request': ofAccountsRow,
  'metering.keep_choice': ofAccountsRow,
  'metering.legal_hold': ofAccountsRow,
  'metering.legal_hold_lift': alongside('metering.legal_hold', 'hold'),
  'metering.method_choice': ofVehicle,
  'metering.mileage_change': ofVehicle,
  'metering.network': published,
  'metering.odometer_photo': ofVehicle,
  'metering.odometer_reading': ofVehicle,
  'metering.odometer_replacement': ofVehicle,
  'metering.operator_key': published,
  'metering.review': ofTrip,
  'metering.seat': ofVehicle,
  'metering.segment_use': ofStaff,
  'metering.shadow_trip': ofTrip,
  'metering.signal': ofVehicle,
  'metering.stream': ofDevice,
  'metering.survey': ofAgency,
  'metering.survey_answer': ofAccount(),
  'metering.traffic': ofStaff,
  'metering.trip': ofAccount(),
  'metering.trip_mileage': ofVehicle,
  'metering.vehicle': ofAccountsRow,
  'metering.vehicle_profile': ofVehicle,
  'metering.work': shared,

  // By the ledger's own names of accounts: a citizen sees the own ones, nobody else any.
  'money.balance': {
    rows: null,
    reads: `${IS_CITIZEN} and account in (${['accrued', 'billed', 'disputed', 'wallet'].map((kind) => `'${kind}:' || ${setting('account')}`).join(', ')})`,
  },
  'money.balance_head': published,
  'money.billed_window': ofVehicle,
  'money.budget': ofAccountsRow,
  'money.cap_window': ofVehicle,
  'money.chain': shared,
  'money.charge': ofTrip,
  'money.correction': ofAccount(),
  'money.dispute': ofAccount(),
  'money.dispute_step': alongside('money.dispute', 'dispute'),
  'money.finding': machines,
  'money.hold_release': alongside('money.statement', 'statement'),
  'money.merkle_tile': published,
  'money.mileage': ofAccount(),
  'money.payment': ofAccount(),
  'money.payment_event': alongside('money.payment', 'payment'),
  'money.period': publishedByAgency,
  'money.period_correction': alongside('money.dispute', 'dispute'),
  'money.period_trip': ofAccount(),
  'money.posting': alongside('money.transfer', 'transfer'),
  'money.statement': ofAccount(),
  'money.statement_hold': alongside('money.statement', 'statement'),
  'money.transfer': ofAccount('payer'),
  'money.wallet_plan': ofAccountsRow,

  'results.cell': alongside('results.release', 'release'),
  'results.counting': ofStaff,
  'results.evaluation': ofStaff,
  'results.export': ofStaff,
  'results.export_part': alongside('results.export', 'export'),
  'results.release': ofStaff,

  'tariff.backtest': ofAgency,
  'tariff.backtest_part': alongside('tariff.backtest', 'backtest'),
  'tariff.backtest_result': alongside('tariff.backtest', 'backtest'),
  'tariff.notice': ofAgency,
  'tariff.officer': ofAgency,
  'tariff.pilot': ofAgency,
  'tariff.policy': publishedByAgency,
  'tariff.revision': ofAgency,
  'tariff.shadow': ofAgency,
  'tariff.shadow_report': ofStaff,
  'tariff.step': ofAgency,
  'tariff.zone': publishedByAgency,
}

export const SCHEMAS = ['identity', 'metering', 'location', 'tariff', 'money', 'results']

const TABLES = `select n.nspname || '.' || c.relname as name,
    exists (select 1 from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only') and c.relname <> 'statement' as "isFact"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname = any($1::text[]) order by 1`

const BOTH = `${PERSON}, ${MACHINE}`
const ALL = `${BOTH}, ${CITIZEN}`

/**
 * Brings the database's own wall up to what ISOLATION says: row-level security on every table, forced, so that also who owns the
 * tables passes by a policy only; and what the two roles may do. Facts are only added. Does nothing where it stands as it should.
 * Throws InputError where the roles are missing and may not be made.
 */
export async function isolate(tx: Tx): Promise<void> {
  const tables = await tx.rows<{ name: string; isFact: boolean }>(TABLES, [SCHEMAS])
  const said = digest(['isolation', VERSION, JSON.stringify(ISOLATION), JSON.stringify(tables)])
  const stands = await tx.row<{ said: string | null }>(
    `select obj_description('identity'::regnamespace, 'pg_namespace') as said`,
  )
  if (stands?.said === said) return
  for (const role of [PERSON, MACHINE, CITIZEN])
    try {
      // Roles are the server's, not the database's: another database of ours may just be making them.
      await tx.run(`do $$ begin
        if not exists (select 1 from pg_roles where rolname = '${role}') then create role ${role} nologin; end if;
      exception when duplicate_object or unique_violation then null; end $$`)
    } catch (error) {
      throw new InputError('NO_ROLE', `create role ${role} nologin, as ${(error as Error).message}`)
    }
  // Whoever owns the tables may have to work as any; a superuser may anyway. Granted where it is missing: roles are the server's, and
  // two databases that grant at one moment would fail.
  const grant = async (role: string, to: string) => {
    const [{ has, name }] = await tx.rows<{ has: boolean; name: string }>(
      `select pg_has_role($1::text::name, $2::text::name, 'member') as has, quote_ident($1::text) as name`,
      [to, role],
    )
    if (!has) await tx.run(`grant ${role} to ${name}`)
  }
  const [{ me }] = await tx.rows<{ me: string }>('select current_user as me')
  for (const role of [PERSON, MACHINE, CITIZEN]) await grant(role, me)
  // A citizen is a person with more; whoever could work as a person before there were citizens goes on.
  await grant(PERSON, CITIZEN)
  const members = await tx.rows<{ name: string }>(
    `select m.rolname as name from pg_auth_members a join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
     where r.rolname = $1 and m.rolname <> $2`,
    [PERSON, CITIZEN],
  )
  for (const { name } of members) await grant(CITIZEN, name)
  await tx.run(`grant execute on all functions in schema ${SCHEMAS.join(', ')} to ${BOTH}`)
  const sql = SCHEMAS.map(
    (schema) =>
      `grant usage on schema ${schema} to ${BOTH}; grant usage on all sequences in schema ${schema} to ${BOTH};`,
  )
  for (const { name, isFact } of tables) {
    const { stays, isJourney, ...rule } = ISOLATION[name] ?? machines
    const person = isJourney ? CITIZEN : PERSON
    const rows = rule.rows?.replaceAll('TABLE', name) ?? null
    const reads = rule.reads ?? rows
    const may = isFact ? 'select, insert' : 'select, insert, update, delete'
    const policy = (of: string, how: string) =>
      `drop policy if exists ${of} on ${name}; create policy ${of} on ${name} ${how};`
    sql.push(
      `alter table ${name} enable row level security; alter table ${name} force row level security;`,
      `revoke all on ${name} from ${ALL}; grant ${may} on ${name} to ${MACHINE};`,
      reads ? `grant ${rows ? (stays ? may.replace(', delete', '') : may) : 'select'} on ${name} to ${person};` : '',
      policy('owner', 'to current_user using (true) with check (true)'),
      policy('machine', `to ${MACHINE} using (true) with check (true)`),
      policy('person_reads', `for select to ${person} using (${reads ?? 'false'})`),
      policy('person', `to ${person} using (${rows ?? 'false'}) with check (${rows ?? 'false'})`),
    )
  }
  await tx.run(sql.join('\n'))
  await tx.run(`comment on schema identity is '${said}'`)
}
/** Counts changes of the SQL above. */
const VERSION = 2
