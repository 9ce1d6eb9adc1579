import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Locations are sealed with data keys, which are stored wrapped; what is no longer to be known is destroyed with its key. Rows from
 * before have no key: `sealOlder` seals them, since a migration has no key file.
 */
export class SealedLocations1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(KEYS)
    await runner.query(SEALED)
    await runner.query(HORIZON)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      do $$ begin
        if exists (select 1 from location.data_key) then raise exception 'locations are sealed: there is no way back to plain ones'; end if;
      end $$;
      drop index metering.trip_raw_kept, metering.trip_stretches_kept, metering.trip_vehicle_month;
      alter table metering.trip drop column matched_at, drop column raw_destroyed_at, drop column stretches_destroyed_at;
      alter table metering.stream drop column destroyed, drop column discarded;
      alter table location.fates drop column key, drop column sealed;
      alter table location.report drop column key, drop column sealed;
      alter table location.path drop column key, drop column sealed;
      alter table location.batch drop column key;
      alter table location.quarantine drop column key;
      alter table location.evidence drop column key;
      drop table location.data_key, location.wrapping_key`)
  }
}

const KEYS = `
-- Names of the keys that wrap data keys. The keys themselves are in a file, never here.
create table location.wrapping_key (
  id text primary key,
  since timestamptz not null default clock_timestamp(),
  retired_at timestamptz
);
create unique index wrapping_key_current on location.wrapping_key ((true)) where retired_at is null;
create table location.data_key (
  id bigint generated always as identity primary key,
  subject text not null,
  period text not null,
  kek text not null references location.wrapping_key,
  wrapped bytea not null,
  unique (subject, period)
);
`

// No reference from what is sealed to its key: the check of it at every batch would cost an index as large as the inbox. Who seals
// holds the key's row meanwhile, who destroys a key looks for rows under it (vault.ts).
const SEALED = `
alter table location.batch add column key bigint;
alter table location.quarantine add column key bigint;
alter table location.quarantine alter column detail drop not null;
alter table location.evidence add column key bigint;
alter table location.path add column key bigint, add column sealed bytea, alter column match drop not null,
  add constraint sealed_or_plain check ((key is null) = (sealed is null) and (match is null) = (sealed is not null));
alter table location.report add column key bigint, add column sealed bytea, alter column report drop not null,
  add constraint sealed_or_plain check ((key is null) = (sealed is null) and (report is null) = (sealed is not null));
alter table location.fates add column key bigint, add column sealed bytea, alter column runs drop not null,
  add constraint sealed_or_plain check ((key is null) = (sealed is null) and (runs is null) = (sealed is not null));
-- what is sealed can't be compressed
alter table location.path alter column sealed set storage external;
alter table location.report alter column sealed set storage external;
alter table location.fates alter column sealed set storage external;
`

const HORIZON = `
-- Numbers of batches that were destroyed after their time: accepted ones, and those that were in quarantine.
alter table metering.stream add column destroyed int8multirange not null default '{}';
alter table metering.stream add column discarded int8multirange not null default '{}';
alter table metering.trip add column matched_at bigint;
alter table metering.trip add column raw_destroyed_at bigint;
alter table metering.trip add column stretches_destroyed_at bigint;
update metering.trip set matched_at = coalesce(ended_at, last_fix, 0) where state not in ('open', 'held');
create index trip_raw_kept on metering.trip (matched_at) where raw_destroyed_at is null and matched_at is not null;
create index trip_stretches_kept on metering.trip (account, month) where stretches_destroyed_at is null;
create index trip_vehicle_month on metering.trip (vehicle, month);
`
