import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * A trip that is moved on stays where it is: its state was in what four indexes ask of a row, so that each step wrote the row anew and all
 * eleven indexes with it (1,465 bytes of write-ahead log a trip). What waits for somebody has a column of its own, which the steps of
 * the line leave alone, and a page has room for the row's next version. Payers and vehicles are asked for once a statement, not once a
 * row; and the triggers' plans are made for large tables, since PostgreSQL keeps those that it made while the tables were small.
 */
export class PostingInPlace1764980000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop index metering.trip_open, metering.trip_held, metering.trip_review, metering.trip_unposted;
alter table metering.trip add column waits text generated always as (case when state in ('open', 'held', 'review') then state end) stored;
create index trip_open on metering.trip (device, boot) where waits = 'open';
create index trip_held on metering.trip (device) where waits = 'held';
create index trip_review on metering.trip (agency) where waits = 'review';
alter table metering.trip set (fillfactor = 50);

alter table money.transfer drop constraint transfer_payer_fkey;
alter table money.cap_window drop constraint cap_window_vehicle_fkey;
create function money.refuse_unknown_payer() returns trigger language plpgsql set enable_seqscan = off set enable_hashjoin = off as $$
declare
  one text;
begin
  select a.payer into one from added a where not exists (select 1 from metering.account x where x.id = a.payer) limit 1;
  if found then
    raise exception 'there is no account %', one using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;
create trigger known_payer after insert on money.transfer referencing new table as added
  for each statement execute function money.refuse_unknown_payer();
create function money.refuse_unknown_vehicle() returns trigger language plpgsql set enable_seqscan = off set enable_hashjoin = off as $$
declare
  one text;
begin
  select a.vehicle into one from added a where not exists (select 1 from metering.vehicle x where x.id = a.vehicle) limit 1;
  if found then
    raise exception 'there is no vehicle %', one using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;
create trigger known_vehicle after insert on money.cap_window referencing new table as added
  for each statement execute function money.refuse_unknown_vehicle();
create function money.refuse_forsaking() returns trigger language plpgsql as $$
begin
  if tg_table_name = 'account' and exists (select 1 from money.transfer where payer = old.id)
    or tg_table_name = 'vehicle' and exists (select 1 from money.cap_window where vehicle = old.id) then
    raise exception '% % is in the books', tg_table_name, old.id using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;
create trigger in_books after delete or update of id on metering.account for each row execute function money.refuse_forsaking();
create trigger in_books after delete or update of id on metering.vehicle for each row execute function money.refuse_forsaking();
alter function money.refuse_unbalanced() set enable_seqscan = off;
alter function money.refuse_unbalanced() set enable_hashjoin = off`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter function money.refuse_unbalanced() reset all;
drop trigger in_books on metering.account;
drop trigger in_books on metering.vehicle;
drop trigger known_vehicle on money.cap_window;
drop trigger known_payer on money.transfer;
drop function money.refuse_forsaking(), money.refuse_unknown_vehicle(), money.refuse_unknown_payer();
alter table money.cap_window add constraint cap_window_vehicle_fkey foreign key (vehicle) references metering.vehicle;
alter table money.transfer add constraint transfer_payer_fkey foreign key (payer) references metering.account;
alter table metering.trip reset (fillfactor);
drop index metering.trip_open, metering.trip_held, metering.trip_review;
alter table metering.trip drop column waits;
create index trip_open on metering.trip (device, boot) where state = 'open';
create index trip_held on metering.trip (device) where state = 'held';
create index trip_review on metering.trip (agency) where state = 'review';
create index trip_unposted on metering.trip (agency, month) where state in ('matched', 'metered', 'rated')`)
  }
}
