import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Four schemas, by what may be forgotten: `metering` (who, and what is to do), `location` (where people were: destroyed on
 * schedule), `tariff` (public, never changes) and `money` (kept for years). Moments are epoch milliseconds, distance
 * millimetres, money micros: whole numbers all, so what is stored is what was computed.
 */
export class First1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(REGISTRY)
    await runner.query(INBOX)
    await runner.query(TRIPS)
    await runner.query(MONEY)
    await runner.query(IMMUTABLE)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop schema money, location, tariff, metering cascade')
  }
}

const REGISTRY = `
create extension if not exists postgis;
create schema metering; create schema location; create schema tariff; create schema money;

create table metering.agency (
  id text primary key,
  name text not null
);
create table metering.network (
  agency text not null references metering.agency,
  digest text not null,
  name text not null,
  attribution text not null,
  active_from bigint not null,
  segments integer not null,
  length_mm bigint not null,
  bounds geometry(Polygon, 4326) not null,
  packed bytea not null,
  primary key (agency, digest)
);
create table metering.account (
  id text primary key,
  agency text not null references metering.agency,
  name text not null
);
create index on metering.account (agency);
create table metering.vehicle (
  id text primary key,
  account text not null references metering.account,
  name text not null,
  vehicle_class text not null
);
create index on metering.vehicle (account);
create table metering.device (
  id text primary key,
  vehicle text not null references metering.vehicle,
  token_digest text not null
);
create table metering.access_token (
  token_digest text primary key,
  role text not null check (role in ('citizen', 'agency', 'analyst', 'operator')),
  agency text not null references metering.agency,
  account text references metering.account,
  check ((role = 'citizen') = (account is not null))
);

create table tariff.policy (
  agency text not null references metering.agency,
  id text not null,
  digest text not null,
  document jsonb not null,
  starts_at bigint not null,
  recorded_at bigint not null,
  primary key (agency, id),
  unique (agency, starts_at)
);
create table tariff.zone (
  agency text not null,
  policy text not null,
  id text not null,
  name text not null,
  shape geometry(Geometry, 4326) not null,
  primary key (agency, policy, id),
  foreign key (agency, policy) references tariff.policy
);
create index on tariff.zone using gist (shape);

create table metering.work (
  stage text not null,
  key text not null,
  wanted bigint not null default 1,
  done bigint not null default 0,
  rung_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz not null default '-infinity',
  fence bigint not null default 0,
  attempts integer not null default 0,
  last_error text,
  primary key (stage, key)
);
create index work_due on metering.work (rung_at) where wanted > done;
`

const INBOX = `
create table metering.stream (
  device text not null references metering.device,
  boot integer not null,
  held int8multirange not null default '{}',
  processed bigint not null default 0,
  received bigint not null default 0,
  accepted bigint not null default 0,
  duplicate bigint not null default 0,
  rejected bigint not null default 0,
  gaps int8multirange not null default '{}',
  primary key (device, boot),
  constraint one_fate check (received = accepted + duplicate + rejected)
);
create table location.batch (
  device text not null,
  boot integer not null,
  seq bigint not null,
  trip text not null,
  event text not null,
  fixes integer not null,
  last_fix bigint,
  received_at bigint not null,
  content_digest text not null,
  payload bytea not null,
  primary key (device, boot, seq),
  foreign key (device, boot) references metering.stream
);
create table location.quarantine (
  id bigint generated always as identity primary key,
  device text not null,
  boot integer,
  seq bigint,
  reason text not null,
  detail text not null,
  received_at bigint not null,
  content_digest text not null,
  payload bytea not null,
  unique nulls not distinct (device, boot, seq, reason, content_digest)
);
`

const TRIPS = `
create table metering.trip (
  id text primary key,
  device text not null references metering.device,
  boot integer not null,
  name text not null,
  first_seq bigint not null,
  last_seq bigint not null,
  vehicle text not null references metering.vehicle,
  account text not null references metering.account,
  agency text not null references metering.agency,
  state text not null check (state in ('open', 'matched', 'metered', 'rated', 'posted', 'held')),
  held_because text,
  last_fix bigint,
  started_at bigint,
  ended_at bigint,
  month text,
  fixes integer not null default 0,
  network text,
  engine text,
  report_digest text,
  unique (device, boot, first_seq)
);
create index on metering.trip (agency, month);
create index on metering.trip (account, month);
create index trip_held on metering.trip (device) where state = 'held';
create index trip_open on metering.trip (device, boot) where state = 'open';
create table location.path (
  trip text primary key references metering.trip,
  match jsonb not null
);
create table location.report (
  trip text primary key references metering.trip,
  digest text not null,
  report jsonb not null
);
`

const MONEY = `
create table money.charge (
  trip text not null references metering.trip,
  line integer not null,
  policy text not null,
  rule text not null,
  road_class text not null,
  zones text[] not null,
  day text not null,
  distance_mm bigint not null,
  inferred_mm bigint not null,
  fixes integer not null,
  rate bigint,
  rate_per text,
  free_reason text,
  amount bigint not null,
  primary key (trip, line),
  check ((rate is null) = (free_reason is not null)),
  check ((rate is null) = (rate_per is null)),
  check (rate is not null or amount = 0)
);
create table money.cap_window (
  policy text not null,
  cap text not null,
  vehicle text not null references metering.vehicle,
  span text not null,
  gross bigint not null,
  credit bigint not null,
  primary key (policy, cap, vehicle, span)
);
create table money.window_trip (
  policy text not null,
  cap text not null,
  vehicle text not null,
  span text not null,
  trip text not null references metering.trip,
  gross bigint not null,
  primary key (policy, cap, vehicle, span, trip),
  foreign key (policy, cap, vehicle, span) references money.cap_window
);
create index on money.window_trip (trip);
create index on money.window_trip (vehicle);
create table money.chain (
  shard integer primary key,
  length bigint not null,
  hash text not null
);
create table money.transfer (
  id text primary key,
  kind text not null check (kind in ('trip', 'cap', 'statement', 'payment', 'reversal')),
  agency text not null references metering.agency,
  payer text not null references metering.account,
  month text not null,
  happened_at bigint not null,
  transfer jsonb not null,
  salt text not null,
  shard integer not null references money.chain,
  index bigint not null,
  recorded_at bigint not null,
  previous text not null,
  content text not null,
  hash text not null,
  unique (shard, index)
);
create index on money.transfer (payer, month);
create table money.posting (
  transfer text not null references money.transfer,
  account text not null,
  amount bigint not null,
  primary key (transfer, account)
);
create index on money.posting (account);

create table money.period (
  agency text not null references metering.agency,
  month text not null,
  state text not null check (state in ('open', 'cutoff', 'rated', 'drafted', 'sealed')),
  closing_since timestamptz,
  cutoff_at bigint,
  drafted_at bigint,
  sealed_at bigint,
  root text,
  primary key (agency, month)
);
create table money.period_trip (
  trip text primary key references metering.trip,
  agency text not null,
  month text not null,
  foreign key (agency, month) references money.period
);
create index on money.period_trip (agency, month);
create table money.statement (
  id text primary key,
  agency text not null,
  account text not null references metering.account,
  month text not null,
  state text not null check (state in ('draft', 'sealed')),
  document text not null,
  digest text not null,
  due bigint not null,
  leaf integer,
  unique (account, month),
  foreign key (agency, month) references money.period
);
create index on money.statement (agency, month);
`

const IMMUTABLE = `
create function money.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: add a new fact that names the old one', tg_table_schema || '.' || tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;
create trigger append_only before update or delete or truncate on money.transfer for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.posting for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.charge for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on tariff.policy for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on tariff.zone for each statement execute function money.refuse_change();

create function money.refuse_sealed() returns trigger language plpgsql as $$
begin
  if old.state = 'sealed' then
    raise exception 'statement % is sealed', old.id using errcode = 'integrity_constraint_violation';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger sealed before update or delete on money.statement for each row execute function money.refuse_sealed();
-- truncate asks no row, so it is refused whatever the statements' states
create trigger append_only before truncate on money.statement for each statement execute function money.refuse_change();

create function money.refuse_unbalanced() returns trigger language plpgsql as $$
begin
  if (select sum(amount) from money.posting where transfer = new.transfer) <> 0 then
    raise exception 'transfer % does not sum to zero', new.transfer using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create constraint trigger zero_sum after insert on money.posting deferrable initially deferred
  for each row execute function money.refuse_unbalanced();
`
