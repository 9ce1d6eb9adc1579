import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Posting by the lot. PostgreSQL asks a foreign key and a row's trigger once a row, which was a third of the time of posting; the same is
 * asked here once a statement. What a statement adds to a transfer sums to zero, so the transfer does: seen at the end of the statement, not
 * of the transaction. References that say nothing new are gone: the payer's row names the agency, a chain's row is locked before it is
 * added to, and the windows of a statement are those of the ledger.
 */
export class Posting1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop trigger zero_sum on money.posting;
drop function money.refuse_unbalanced();
alter table money.posting drop constraint posting_transfer_fkey;
create function money.refuse_unbalanced() returns trigger language plpgsql as $$
declare
  one text;
begin
  select a.transfer into one from added a where not exists (select 1 from money.transfer t where t.id = a.transfer) limit 1;
  if found then
    raise exception 'there is no transfer %', one using errcode = 'foreign_key_violation';
  end if;
  select transfer into one from added group by transfer having sum(amount) <> 0 limit 1;
  if found then
    raise exception 'transfer % does not sum to zero', one using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
create trigger zero_sum after insert on money.posting referencing new table as added
  for each statement execute function money.refuse_unbalanced();

alter table money.transfer drop constraint transfer_agency_fkey, drop constraint transfer_shard_fkey;
alter table money.billed_window drop constraint billed_window_vehicle_fkey;
-- room on the page: a claim is then an update in place, which touches no index
alter table metering.work set (fillfactor = 50);
alter table money.chain set (fillfactor = 50);
alter table money.cap_window set (fillfactor = 50)`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table money.cap_window reset (fillfactor);
alter table money.chain reset (fillfactor);
alter table metering.work reset (fillfactor);
alter table money.billed_window add constraint billed_window_vehicle_fkey foreign key (vehicle) references metering.vehicle;
alter table money.transfer add constraint transfer_agency_fkey foreign key (agency) references metering.agency,
  add constraint transfer_shard_fkey foreign key (shard) references money.chain;
drop trigger zero_sum on money.posting;
drop function money.refuse_unbalanced();
create function money.refuse_unbalanced() returns trigger language plpgsql as $$
begin
  if (select sum(amount) from money.posting where transfer = new.transfer) <> 0 then
    raise exception 'transfer % does not sum to zero', new.transfer using errcode = 'integrity_constraint_violation';
  end if;
  return null;
end $$;
alter table money.posting add constraint posting_transfer_fkey foreign key (transfer) references money.transfer;
create constraint trigger zero_sum after insert on money.posting deferrable initially deferred
  for each row execute function money.refuse_unbalanced()`)
  }
}
