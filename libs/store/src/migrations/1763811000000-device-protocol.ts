import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** Devices with keys, vouchers and an end; alarms; the operator's keys; the daily balance; work that is parked. */
export class DeviceProtocol1763811000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(DEVICES)
    await runner.query(INBOX)
    await runner.query(WORK)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(BACK)
  }
}

const DEVICES = `
alter table metering.device alter column token_digest drop not null;
alter table metering.device add column broker_password text;
alter table metering.device add column voucher_digest text;
alter table metering.device add column voucher_until bigint;
-- a voucher is spent by the first key that comes with it; only that key may ask again, where the answer was lost
alter table metering.device add column voucher_key bytea;
alter table metering.device add column revoked_at bigint;
-- on the database's own clock: brokers and sessions are brought up to date with what changed
alter table metering.device add column changed_at timestamptz not null default clock_timestamp();
create index device_changed on metering.device (changed_at);
create table metering.device_key (
  device text not null references metering.device,
  key bytea not null check (length(key) = 32),
  from_at bigint not null,
  until_at bigint,
  primary key (device, key)
);
create table metering.device_alarm (
  device text not null,
  kind text not null,
  first_at bigint not null,
  last_at bigint not null,
  times bigint not null,
  detail text not null,
  primary key (device, kind)
);
create table metering.device_presence (
  device text primary key references metering.device,
  online boolean not null,
  since bigint not null,
  heard_at bigint not null,
  -- how often it came and went since flaps_from: a device and its clone end each other's sessions
  flaps integer not null default 0,
  flaps_from bigint not null
);
create table metering.operator_key (
  key bytea primary key check (length(key) = 32),
  added_at bigint not null
);
`

const INBOX = `
alter table location.batch alter column content_digest type bytea using decode(content_digest, 'hex');
alter table location.quarantine add column replayed_at bigint;
create table location.bridged (
  device text not null references metering.device,
  source_digest bytea not null,
  at bigint not null,
  primary key (device, source_digest)
);
-- One row a day and process, so that two processes never wait for each other here.
create table metering.balance (
  day date not null,
  lane text not null,
  received bigint not null default 0,
  accepted bigint not null default 0,
  duplicate bigint not null default 0,
  rejected bigint not null default 0,
  fixes bigint not null default 0,
  primary key (day, lane),
  constraint one_fate check (received = accepted + duplicate + rejected)
);
insert into metering.balance (day, lane, received, accepted, duplicate, rejected)
  select '1970-01-01', 'before', sum(received), sum(accepted), sum(duplicate), sum(rejected) from metering.stream having count(*) > 0;
`

const WORK = `
alter table metering.work add column parked_at timestamptz;
drop index metering.work_due;
create index work_due on metering.work (rung_at) where wanted > done and parked_at is null;
create index work_parked on metering.work (parked_at) where parked_at is not null;
`

const BACK = `
drop index metering.work_due, metering.work_parked;
alter table metering.work drop column parked_at;
create index work_due on metering.work (rung_at) where wanted > done;
drop table metering.balance, location.bridged, metering.operator_key, metering.device_presence, metering.device_alarm, metering.device_key;
alter table location.quarantine drop column replayed_at;
alter table location.batch alter column content_digest type text using encode(content_digest, 'hex');
drop index metering.device_changed;
alter table metering.device drop column broker_password, drop column voucher_digest, drop column voucher_until, drop column voucher_key,
  drop column revoked_at, drop column changed_at;
delete from metering.device where token_digest is null;
alter table metering.device alter column token_digest set not null;
`
