import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * The mileage account: odometer readings and methods as facts that are only added, what each trip came to, trips held for
 * review, signs of tampering, and the accounts as they were settled. None of it says where anybody was, but for `location.fates`.
 */
export class Mileage1764000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(VEHICLES)
    await runner.query(FACTS)
    await runner.query(SETTLED)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table money.mileage, metering.mileage_change, metering.signal, metering.review, location.fates, metering.trip_mileage,
        metering.method_choice, metering.odometer_replacement, metering.odometer_reading, metering.odometer_photo, metering.seat;
      alter table metering.vehicle drop column from_at, drop column until_at, drop column succeeds;
      alter table location.batch drop column first_fix;
      alter table metering.trip drop constraint trip_state_check;
      alter table metering.trip add constraint trip_state_check check (state in ('open', 'matched', 'metered', 'rated', 'posted', 'held'))`)
  }
}

const VEHICLES = `
-- [from_at, until_at): the time for which the account has the vehicle; who buys it registers it as a vehicle of their own
alter table metering.vehicle add column from_at bigint;
alter table metering.vehicle add column until_at bigint;
alter table metering.vehicle add column succeeds text references metering.vehicle;
-- Where a device sat from a moment on; metering.device.vehicle says where it sits last.
create table metering.seat (
  device text not null references metering.device,
  from_at bigint not null,
  vehicle text not null references metering.vehicle,
  primary key (device, from_at)
);
alter table location.batch add column first_fix bigint;
alter table metering.trip drop constraint trip_state_check;
alter table metering.trip add constraint trip_state_check check (state in ('open', 'review', 'matched', 'metered', 'rated', 'posted', 'held'));
create index trip_review on metering.trip (agency) where state = 'review';
`

const FACTS = `
create table metering.odometer_photo (
  vehicle text not null references metering.vehicle,
  digest text not null,
  type text not null,
  bytes bytea not null,
  recorded_at bigint not null,
  primary key (vehicle, digest)
);
create table metering.odometer_reading (
  id text primary key,
  vehicle text not null references metering.vehicle,
  at bigint not null,
  mm bigint not null check (mm >= 0),
  source text not null check (source in ('device', 'photo', 'inspection')),
  photo text,
  entered_by text not null,
  recorded_at bigint not null,
  foreign key (vehicle, photo) references metering.odometer_photo
);
create index on metering.odometer_reading (vehicle, at);
create table metering.odometer_replacement (
  vehicle text not null references metering.vehicle,
  at bigint not null,
  final_mm bigint not null check (final_mm >= 0),
  start_mm bigint not null check (start_mm >= 0),
  source text not null check (source in ('photo', 'inspection')),
  photo text,
  entered_by text not null,
  recorded_at bigint not null,
  primary key (vehicle, at),
  foreign key (vehicle, photo) references metering.odometer_photo
);
create table metering.method_choice (
  vehicle text not null references metering.vehicle,
  ordinal integer not null,
  from_at bigint not null,
  method text not null check (method in ('location', 'odometer', 'permit')),
  chosen_by text not null,
  recorded_at bigint not null,
  primary key (vehicle, ordinal)
);
create table metering.trip_mileage (
  trip text primary key references metering.trip,
  vehicle text not null references metering.vehicle,
  started_at bigint not null,
  matched_mm bigint not null,
  inferred_mm bigint not null,
  off_network_mm bigint not null,
  raw_mm bigint not null,
  odometer_mm bigint,
  metered_mm bigint,
  verdict text not null check (verdict in ('agrees', 'unwitnessed', 'deviates')),
  permille integer,
  hard boolean,
  suspect text
);
create index on metering.trip_mileage (vehicle, started_at);
-- The fate of every fix of a trip, in order, as runs: [["matched", 60], ["time-order", 1]]
create table location.fates (
  trip text primary key references metering.trip,
  runs jsonb not null
);
create table metering.review (
  trip text primary key references metering.trip,
  decision text not null check (decision in ('release', 'void')),
  reason text not null check (reason <> ''),
  decided_by text not null,
  decided_at bigint not null
);
create table metering.signal (
  vehicle text not null references metering.vehicle,
  month text not null,
  kind text not null,
  -- a trip, or the account of the month
  source text not null,
  count integer not null check (count > 0),
  recorded_at bigint not null,
  primary key (vehicle, month, kind, source)
);
create trigger append_only before update or delete or truncate on metering.odometer_reading for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on metering.odometer_replacement for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on metering.method_choice for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on metering.review for each statement execute function money.refuse_change();
`

const SETTLED = `
-- The earliest fact since a vehicle's accounts were settled last: which months have to be looked at again.
create table metering.mileage_change (
  vehicle text primary key references metering.vehicle,
  since bigint not null
);
create table money.mileage (
  vehicle text not null references metering.vehicle,
  month text not null,
  revision integer not null,
  account text not null references metering.account,
  agency text not null,
  -- the statement that it is on
  booked_in text not null,
  document jsonb not null,
  recorded_at bigint not null,
  primary key (vehicle, month, revision),
  foreign key (agency, booked_in) references money.period
);
create index on money.mileage (agency, booked_in, account);
create trigger append_only before update or delete or truncate on money.mileage for each statement execute function money.refuse_change();
alter table money.transfer drop constraint transfer_kind_check;
alter table money.transfer add constraint transfer_kind_check
  check (kind in ('trip', 'cap', 'statement', 'payment', 'settlement', 'hold', 'mileage', 'reversal'));
`
