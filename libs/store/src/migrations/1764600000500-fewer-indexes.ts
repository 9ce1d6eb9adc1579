import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** Indexes that are the beginning of another one, and a reference to the period whose row is locked while its cut-off is taken. */
export class FewerIndexes1764600000500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop index money.period_trip_agency_month_idx, money.statement_agency_month_idx, metering.account_agency_idx;
alter table money.period_trip drop constraint period_trip_agency_month_fkey`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table money.period_trip add constraint period_trip_agency_month_fkey foreign key (agency, month) references money.period;
create index on metering.account (agency);
create index on money.statement (agency, month);
create index on money.period_trip (agency, month)`)
  }
}
