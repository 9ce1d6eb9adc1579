import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * People of an identity provider with what the agency lets them do, and their sessions; tokens of machines with a name, scopes and
 * an end. Of whatever opens a door only the digest is kept.
 */
export class Identity1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create schema identity;
create table identity.subject (
  -- 'demo' is the provider that the pilot brings along: its address changes with its port
  issuer text not null,
  subject text not null,
  name text not null,
  role text not null check (role in ('citizen', 'agency', 'analyst', 'auditor', 'operator', 'editor', 'approver')),
  agency text not null references metering.agency,
  account text references metering.account,
  person text,
  granted_at bigint not null,
  revoked_at bigint,
  primary key (issuer, subject),
  check ((role = 'citizen') = (account is not null)),
  check ((role in ('editor', 'approver')) = (person is not null)),
  foreign key (agency, person, role) references tariff.officer
);
create index on identity.subject (agency);

alter table metering.access_token drop constraint access_token_role_check;
alter table metering.access_token add constraint access_token_role_check
  check (role in ('citizen', 'agency', 'analyst', 'auditor', 'operator', 'editor', 'approver'));
alter table metering.access_token add column name text;
-- null: all that the role may
alter table metering.access_token add column scopes text[];
alter table metering.access_token add column expires_at bigint;
alter table metering.access_token add column revoked_at bigint;

create table identity.session (
  id_digest text primary key,
  issuer text,
  subject text,
  token_digest text references metering.access_token,
  began_at bigint not null,
  -- when the person last proved to be it: what money and policy ask for
  proved_at bigint not null,
  seen_at bigint not null,
  foreign key (issuer, subject) references identity.subject,
  check ((subject is null) <> (token_digest is null)),
  check ((subject is null) = (issuer is null))
);
create index on identity.session (issuer, subject);
create index on identity.session (token_digest);
create index on identity.session (seen_at);

-- begun at the provider and not come back yet
create table identity.sign_in (
  state_digest text primary key,
  browser_digest text not null,
  nonce text not null,
  verifier text not null,
  return_to text not null,
  fresh boolean not null,
  began_at bigint not null
);
create index on identity.sign_in (began_at);`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop schema identity cascade;
alter table metering.access_token drop column name, drop column scopes, drop column expires_at, drop column revoked_at;
delete from metering.access_token where role = 'auditor';
alter table metering.access_token drop constraint access_token_role_check;
alter table metering.access_token add constraint access_token_role_check
  check (role in ('citizen', 'agency', 'analyst', 'operator', 'editor', 'approver'))`)
  }
}
