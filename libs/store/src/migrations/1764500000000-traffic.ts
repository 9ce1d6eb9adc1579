import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Charged miles by segment, of sealed months, for the map that analysts see. What is being counted names no vehicle, but stands for
 * few at first: it is location until it is done, and what ten vehicles didn't drive on is then dropped.
 */
export class Traffic1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table metering.traffic (
  agency text not null references metering.agency,
  month text not null,
  last_vehicle text not null default '',
  vehicles integer not null default 0,
  segments integer,
  suppressed integer,
  counted_at bigint,
  primary key (agency, month)
);
create table location.segment_count (
  agency text not null,
  month text not null,
  network text not null,
  segment text not null,
  vehicles integer not null,
  charged_mm bigint not null,
  primary key (agency, month, network, segment),
  foreign key (agency, month) references metering.traffic
);
create table metering.segment_use (
  agency text not null,
  month text not null,
  network text not null,
  segment text not null,
  vehicles integer not null check (vehicles >= 10),
  charged_mm bigint not null check (charged_mm > 0),
  primary key (agency, month, network, segment),
  foreign key (agency, month) references metering.traffic
);
insert into metering.work (stage, key) select 'traffic', agency || '/' || month from money.period where state = 'sealed' on conflict do nothing;`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `drop table metering.segment_use, location.segment_count, metering.traffic; delete from metering.work where stage = 'traffic'`,
    )
  }
}
