import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What is done on a schedule, what the checks found, and what accounts of the ledger held up to some entry of each chain. */
export class CheckedBooks1764600001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table metering.duty (
  name text primary key,
  done_at bigint not null,
  lease_until timestamptz not null default '-infinity'
);
create table money.finding (
  invariant text not null,
  found_at bigint not null,
  checked bigint not null,
  faults jsonb not null,
  primary key (invariant, found_at)
);
create trigger append_only before update or delete or truncate on money.finding for each statement execute function money.refuse_change();
create table money.balance (
  account text primary key,
  amount bigint not null
);
create table money.balance_head (
  shard integer primary key,
  length bigint not null
);
create index dispute_due on money.dispute (decide_by)`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop index money.dispute_due;
drop table money.balance_head, money.balance, money.finding, metering.duty`)
  }
}
