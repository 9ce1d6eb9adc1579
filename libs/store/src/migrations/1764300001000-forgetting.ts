import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What holds locations, what lets them go, and who has looked at them. No place is in any of it. */
export class Forgetting1764300001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(HOLDS)
    await runner.query(READS)
    await runner.query(RECEIPTS)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table metering.break_glass_approval, metering.break_glass, metering.access_log, metering.erasure_request, metering.keep_choice,
        metering.legal_hold_lift, metering.legal_hold;
      drop function metering.refuse_own_approval`)
  }
}

const HOLDS = `
create table metering.legal_hold (
  id text primary key,
  account text not null references metering.account,
  placed_by text not null check (placed_by <> ''),
  why text not null check (why <> ''),
  placed_at bigint not null
);
create index on metering.legal_hold (account);
create table metering.legal_hold_lift (
  hold text primary key references metering.legal_hold,
  lifted_by text not null check (lifted_by <> ''),
  why text not null check (why <> ''),
  lifted_at bigint not null
);
-- How many days the citizen wants fixes to be kept, beyond what everybody's are.
create table metering.keep_choice (
  account text primary key references metering.account,
  days integer not null check (days between 0 and 3650),
  chosen_at bigint not null
);
create table metering.erasure_request (
  account text not null references metering.account,
  asked_at bigint not null,
  done_at bigint,
  primary key (account, asked_at)
);
create unique index erasure_open on metering.erasure_request (account) where done_at is null;
create trigger append_only before update or delete or truncate on metering.legal_hold for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on metering.legal_hold_lift for each statement execute function money.refuse_change();
`

const READS = `
create table metering.access_log (
  id bigint generated always as identity primary key,
  account text not null references metering.account,
  at bigint not null,
  who text not null,
  role text not null,
  what text not null,
  -- the trip, statement or dispute that was read
  subject text not null,
  why text not null
);
create index on metering.access_log (account, at);
create index on metering.access_log (at);
create table metering.break_glass (
  id text primary key,
  agency text not null references metering.agency,
  account text not null references metering.account,
  trip text not null references metering.trip,
  asked_by text not null,
  why text not null check (length(why) >= 10),
  asked_at bigint not null
);
create index on metering.break_glass (agency, asked_at);
create table metering.break_glass_approval (
  request text primary key references metering.break_glass,
  approved_by text not null,
  approved_at bigint not null,
  until_at bigint not null check (until_at > approved_at and until_at <= approved_at + 86400000)
);
-- Whoever looks at where somebody was doesn't decide it alone, whoever writes the SQL.
create function metering.refuse_own_approval() returns trigger language plpgsql as $$
declare
  request metering.break_glass;
begin
  select * into request from metering.break_glass b where b.id = new.request;
  if request.asked_by = new.approved_by then
    raise exception 'four eyes: % has asked for it', new.approved_by using errcode = 'integrity_constraint_violation';
  end if;
  if not exists (select 1 from tariff.officer o where o.agency = request.agency and o.person = new.approved_by and o.role = 'approver') then
    raise exception '% is no approver of %', new.approved_by, request.agency using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger four_eyes before insert on metering.break_glass_approval for each row execute function metering.refuse_own_approval();
create trigger append_only before update or delete or truncate on metering.break_glass for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on metering.break_glass_approval for each statement execute function money.refuse_change();
`

// Whatever kinds there are by now, and one more.
const RECEIPTS = `
do $$ declare said text; begin
  select pg_get_constraintdef(oid) into said from pg_constraint where conrelid = 'money.transfer'::regclass and conname = 'transfer_kind_check';
  execute 'alter table money.transfer drop constraint transfer_kind_check';
  execute 'alter table money.transfer add constraint transfer_kind_check ' || replace(said, $q$'reversal'::text$q$, $q$'reversal'::text, 'destruction'::text$q$);
end $$;
`
