import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * The life of a policy before it is published, as facts that are only added, and the rule of four eyes as triggers: they hold
 * for everybody who may insert, the operator and whoever writes SQL included.
 */
export class PolicyLife1763842600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PEOPLE)
    await runner.query(LIFE)
    await runner.query(BACKTESTS)
    await runner.query(FOUR_EYES)
    await runner.query(SHADOWS)
    await runner.query(APPEND_ONLY)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger four_eyes on tariff.policy;
      drop trigger of_its_policy on tariff.zone;
      drop table metering.shadow_trip, tariff.shadow, tariff.step, tariff.backtest_result, tariff.backtest_part, tariff.backtest, tariff.revision, tariff.notice;
      alter table metering.access_token drop column person;
      drop table tariff.officer;
      drop function tariff.refuse_revision, tariff.refuse_step, tariff.refuse_unapproved, tariff.refuse_foreign_zone, tariff.lock_policy`)
  }
}

// The checks of the first migration have names that PostgreSQL gave them.
const PEOPLE = `
create table tariff.officer (
  agency text not null references metering.agency,
  person text not null,
  role text not null check (role in ('editor', 'approver')),
  name text not null,
  named_at bigint not null,
  primary key (agency, person, role)
);
alter table metering.access_token add column person text;
alter table metering.access_token drop constraint access_token_role_check;
alter table metering.access_token add constraint access_token_role_check
  check (role in ('citizen', 'agency', 'analyst', 'operator', 'editor', 'approver'));
alter table metering.access_token add constraint access_token_person_check
  check ((role in ('editor', 'approver')) = (person is not null));
alter table metering.access_token add constraint access_token_officer
  foreign key (agency, person, role) references tariff.officer;

create table tariff.notice (
  agency text not null references metering.agency,
  recorded_at bigint not null,
  days integer not null check (days between 0 and 366),
  reason text not null,
  primary key (agency, recorded_at)
);
`

const LIFE = `
create table tariff.revision (
  agency text not null references metering.agency,
  policy text not null,
  revision integer not null check (revision > 0),
  digest text not null,
  document jsonb not null,
  author text not null,
  role text not null default 'editor' check (role = 'editor'),
  reason text not null,
  recorded_at bigint not null,
  primary key (agency, policy, revision),
  foreign key (agency, author, role) references tariff.officer,
  check (document->>'id' = policy)
);
`

const BACKTESTS = `
create table tariff.backtest (
  id text primary key,
  agency text not null,
  policy text not null,
  revision integer not null,
  months text[] not null,
  person text not null,
  role text not null,
  requested_at bigint not null,
  trips bigint not null,
  foreign key (agency, policy, revision) references tariff.revision,
  foreign key (agency, person, role) references tariff.officer
);
create table tariff.backtest_part (
  backtest text not null references tariff.backtest,
  part integer not null,
  last_account text not null,
  trips bigint not null,
  sums jsonb not null,
  primary key (backtest, part)
);
create table tariff.backtest_result (
  backtest text primary key references tariff.backtest,
  digest text not null unique,
  result jsonb not null,
  finished_at bigint not null
);
`

const FOUR_EYES = `
create table tariff.step (
  agency text not null,
  policy text not null,
  revision integer not null,
  index integer not null check (index >= 0),
  step text not null check (step in ('checked', 'backtested', 'submitted', 'approved', 'returned', 'scheduled')),
  person text not null,
  role text not null,
  reason text not null,
  recorded_at bigint not null,
  evidence text check ((evidence is not null) = (step in ('checked', 'backtested', 'approved'))),
  primary key (agency, policy, revision, index),
  foreign key (agency, policy, revision) references tariff.revision,
  foreign key (agency, person, role) references tariff.officer,
  check (case step when 'submitted' then role = 'editor' when 'approved' then role = 'approver' when 'returned' then role = 'approver' else true end)
);
create unique index step_once on tariff.step (agency, policy, revision, step) where step not in ('checked', 'backtested');

-- Whoever adds to the life of a policy does so alone: no edit slips in between an approval and what rests on it.
create function tariff.lock_policy(agency text, policy text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('policy/' || agency || '/' || policy, 0))
$$;

create function tariff.refuse_revision() returns trigger language plpgsql as $$
begin
  perform tariff.lock_policy(new.agency, new.policy);
  if exists (select 1 from tariff.policy p where p.agency = new.agency and p.id = new.policy) then
    raise exception 'policy % is published and never changes', new.policy using errcode = 'integrity_constraint_violation';
  end if;
  if new.revision <> 1 + (select coalesce(max(revision), 0) from tariff.revision r where r.agency = new.agency and r.policy = new.policy) then
    raise exception 'policy % has another latest revision', new.policy using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger in_order before insert on tariff.revision for each row execute function tariff.refuse_revision();

create function tariff.refuse_step() returns trigger language plpgsql as $$
declare
  latest tariff.revision;
  taken text[];
  why text;
begin
  perform tariff.lock_policy(new.agency, new.policy);
  select * into latest from tariff.revision r where r.agency = new.agency and r.policy = new.policy order by revision desc limit 1;
  select coalesce(array_agg(step), '{}') into taken from tariff.step s
    where s.agency = new.agency and s.policy = new.policy and s.revision = new.revision;
  why := case
    when latest.revision is distinct from new.revision then 'it was edited since'
    when 'scheduled' = any(taken) then 'it is published'
    when 'returned' = any(taken) then 'it was returned to its author'
    when new.step in ('backtested', 'submitted') and not 'checked' = any(taken) then 'it is not checked'
    when new.step = 'submitted' and not 'backtested' = any(taken) then 'it has no backtest'
    when new.step in ('approved', 'returned') and not 'submitted' = any(taken) then 'it is not submitted'
    when new.step in ('approved', 'returned') and 'approved' = any(taken) then 'it is approved'
    when new.step in ('approved', 'returned') and exists (select 1 from tariff.revision r
      where r.agency = new.agency and r.policy = new.policy and r.author = new.person) then 'four eyes: this person has written it'
    when new.step in ('approved', 'returned') and exists (select 1 from tariff.step s
      where s.agency = new.agency and s.policy = new.policy and s.revision = new.revision and s.step = 'submitted' and s.person = new.person)
      then 'four eyes: this person has submitted it'
    when new.step = 'backtested' and not exists (select 1 from tariff.backtest_result x join tariff.backtest b on b.id = x.backtest
      where x.digest = new.evidence and b.agency = new.agency and b.policy = new.policy and b.revision = new.revision)
      then 'the backtest is not of this revision'
    when new.step = 'approved' and new.evidence is distinct from (select s.evidence from tariff.step s
      where s.agency = new.agency and s.policy = new.policy and s.revision = new.revision and s.step = 'backtested' order by index desc limit 1)
      then 'it is not approved with its latest backtest'
    when new.step = 'scheduled' and not 'approved' = any(taken) then 'it is not approved'
  end;
  if why is not null then
    raise exception 'policy % can not be %: %', new.policy, new.step, why using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger four_eyes before insert on tariff.step for each row execute function tariff.refuse_step();

-- An agency that has ever named an approver publishes what was approved, as it was approved, with notice; no other way is left.
create function tariff.refuse_unapproved() returns trigger language plpgsql as $$
declare
  days integer;
begin
  if not exists (select 1 from tariff.officer o where o.agency = new.agency and o.role = 'approver') then
    return new;
  end if;
  if not exists (select 1 from tariff.step s join tariff.revision r using (agency, policy, revision)
    where s.agency = new.agency and s.policy = new.id and s.step = 'scheduled' and r.digest = new.digest and r.document = new.document) then
    raise exception 'policy % was not approved by a second person', new.id using errcode = 'integrity_constraint_violation';
  end if;
  select n.days into days from tariff.notice n where n.agency = new.agency order by recorded_at desc limit 1;
  if new.starts_at < new.recorded_at + coalesce(days, 30) * 86400000::bigint then
    raise exception 'policy % starts without the notice of % days', new.id, coalesce(days, 30) using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger four_eyes before insert on tariff.policy for each row execute function tariff.refuse_unapproved();

create function tariff.refuse_foreign_zone() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from tariff.policy p where p.agency = new.agency and p.id = new.policy
    and ST_OrderingEquals(new.shape, ST_SetSRID(ST_GeomFromGeoJSON((p.document->'zones'->new.id->'geometry')::text), 4326))) then
    raise exception 'policy % has no such zone %', new.policy, new.id using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger of_its_policy before insert on tariff.zone for each row execute function tariff.refuse_foreign_zone();
`

const SHADOWS = `
create table tariff.shadow (
  agency text not null,
  policy text not null,
  revision integer not null,
  from_at bigint not null,
  to_at bigint not null check (to_at > from_at),
  person text not null,
  role text not null,
  reason text not null,
  recorded_at bigint not null,
  primary key (agency, policy, revision),
  foreign key (agency, policy, revision) references tariff.revision,
  foreign key (agency, person, role) references tariff.officer
);
create table metering.shadow_trip (
  agency text not null,
  policy text not null,
  revision integer not null,
  trip text not null references metering.trip,
  charges jsonb not null,
  primary key (agency, policy, revision, trip),
  foreign key (agency, policy, revision) references tariff.shadow
);
create index on metering.shadow_trip (trip);
`

const APPEND_ONLY = ['officer', 'notice', 'revision', 'step', 'backtest', 'backtest_result', 'shadow']
  .map(
    (table) =>
      `create trigger append_only before update or delete or truncate on tariff.${table} for each statement execute function money.refuse_change();`,
  )
  .join('\n')
