import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Closing a month of many accounts: what a page of them needs is found by index, what sealing needs stands beside the document,
 * the month's Merkle tree is kept in tiles, and a statement can be stopped until somebody says why it is right.
 */
export class Books1764000000500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CLOSING)
    await runner.query(HOLDS)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table money.hold_release, money.statement_hold, money.merkle_tile;
      drop index money.statement_draft, metering.work_of_stage, metering.trip_unposted;
      alter table money.statement drop column exact;
      alter table money.period drop column size;
      alter table money.period_trip drop column account`)
  }
}

const CLOSING = `
create index work_of_stage on metering.work (stage, rung_at) where wanted > done;
create index trip_unposted on metering.trip (agency, month) where state in ('matched', 'metered', 'rated');
create index on metering.account (agency, id);

alter table money.period_trip add column account text;
update money.period_trip p set account = t.account from metering.trip t where t.id = p.trip;
alter table money.period_trip alter column account set not null;
create index on money.period_trip (agency, month, account);
create index on money.period_trip (agency, month, trip);

alter table money.period add column size integer;
alter table money.statement disable trigger sealed;
alter table money.statement add column exact bigint;
update money.statement set exact = (document::jsonb->'totals'->>'exact')::bigint;
alter table money.statement alter column exact set not null;
alter table money.statement enable trigger sealed;
create index statement_draft on money.statement (agency, month, id) where state = 'draft';
create index on money.statement (agency, month, account);
-- pglz takes a third of the time of drafting a statement; a server that was built without lz4 keeps it
do $$ begin
  alter table money.statement alter column document set compression lz4;
exception when feature_not_supported then null;
end $$;

create table money.merkle_tile (
  agency text not null,
  month text not null,
  level integer not null,
  index integer not null,
  nodes text not null,
  root text not null,
  primary key (agency, month, level, index),
  foreign key (agency, month) references money.period
);
create trigger append_only before update or delete or truncate on money.merkle_tile for each statement execute function money.refuse_change();
`

const HOLDS = `
create table money.statement_hold (
  statement text not null references money.statement,
  reason text not null,
  detail text not null,
  held_at bigint not null,
  primary key (statement, reason)
);
create table money.hold_release (
  statement text not null,
  reason text not null,
  released_by text not null,
  why text not null check (why <> ''),
  released_at bigint not null,
  primary key (statement, reason),
  foreign key (statement, reason) references money.statement_hold
);
create trigger append_only before update or delete or truncate on money.statement_hold for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.hold_release for each statement execute function money.refuse_change();
`
