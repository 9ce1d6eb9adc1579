import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What becomes of a sealed statement: it is paid, from credit or by a provider, or it is questioned and perhaps corrected. */
export class PaymentsAndDisputes1763843000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table money.transfer drop constraint transfer_kind_check;
alter table money.transfer add constraint transfer_kind_check
  check (kind in ('trip', 'cap', 'statement', 'payment', 'settlement', 'hold', 'reversal'));
create index transfer_of_statement on money.transfer ((transfer->>'statement')) where kind in ('payment', 'settlement');
create index transfer_of_dispute on money.transfer ((transfer->>'dispute')) where kind = 'hold';

-- amount above zero: asked of the payer; below zero: paid back
create table money.payment (
  id text primary key,
  agency text not null references metering.agency,
  account text not null references metering.account,
  statement text references money.statement,
  amount bigint not null check (amount <> 0),
  currency text not null,
  provider text not null,
  refunds text references money.payment,
  asked_at bigint not null
);
create index on money.payment (account);
create index on money.payment (statement);
create table money.payment_event (
  provider text not null,
  event text not null,
  payment text not null references money.payment,
  kind text not null check (kind in ('asked', 'succeeded', 'failed')),
  amount bigint not null,
  reference text not null,
  detail text not null,
  happened_at bigint not null,
  recorded_at bigint not null,
  primary key (provider, event)
);
create index on money.payment_event (payment);
create table money.wallet_plan (
  account text primary key references metering.account,
  floor bigint not null check (floor >= 0),
  top_up bigint not null check (top_up > 0)
);

create table money.dispute (
  id text primary key,
  agency text not null references metering.agency,
  account text not null references metering.account,
  statement text not null references money.statement,
  trip text not null references metering.trip,
  line integer,
  amount bigint not null check (amount >= 0),
  reason text not null,
  decide_by text not null,
  opened_at bigint not null
);
create index on money.dispute (agency, opened_at);
create index on money.dispute (account);
create index on money.dispute (statement);
create table money.dispute_step (
  dispute text not null references money.dispute,
  step integer not null,
  kind text not null check (kind in ('opened', 'evidence', 'note', 'upheld', 'refused', 'withdrawn')),
  by text not null check (by in ('citizen', 'agency')),
  at bigint not null,
  text text not null,
  evidence text,
  correction jsonb,
  primary key (dispute, step),
  check ((kind = 'evidence') = (evidence is not null)),
  check ((kind = 'upheld') = (correction is not null))
);
-- one decision, whoever decides twice at once
create unique index dispute_decided on money.dispute_step (dispute) where kind in ('upheld', 'refused', 'withdrawn');
-- what a picture shows is where somebody was
create table location.evidence (
  id text primary key,
  dispute text not null references money.dispute,
  media_type text not null,
  bytes bytea not null
);
create index on location.evidence (dispute);

create trigger append_only before update or delete or truncate on money.payment for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.payment_event for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.dispute for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on money.dispute_step for each statement execute function money.refuse_change();
`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop table location.evidence, money.dispute_step, money.dispute, money.wallet_plan, money.payment_event, money.payment;
drop index money.transfer_of_statement, money.transfer_of_dispute;
alter table money.transfer drop constraint transfer_kind_check;
alter table money.transfer add constraint transfer_kind_check check (kind in ('trip', 'cap', 'statement', 'payment', 'reversal'));
`)
  }
}
