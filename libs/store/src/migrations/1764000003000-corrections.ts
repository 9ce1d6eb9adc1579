import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** Trips that were priced again because a dispute was upheld, and the month in whose statement that is booked. */
export class Corrections1764000003000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table money.correction (
  dispute text primary key references money.dispute,
  agency text not null references metering.agency,
  account text not null references metering.account,
  trip text not null references metering.trip,
  revision integer not null check (revision > 0),
  because text not null,
  vehicle_class text,
  was jsonb not null,
  now jsonb not null,
  amount bigint not null,
  given_back bigint not null,
  made_at bigint not null,
  unique (trip, revision)
);
create index on money.correction (account);
create table money.period_correction (
  dispute text primary key references money.correction,
  agency text not null,
  month text not null,
  foreign key (agency, month) references money.period
);
create index on money.period_correction (agency, month);
create trigger append_only before update or delete or truncate on money.correction for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.period_correction for each statement execute function money.refuse_change();
`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table money.period_correction, money.correction')
  }
}
