import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Tables for analysts. Counts under way are of few people and where they were, so they stand in `location` and are gone when the month
 * is counted; what is released stands for ten vehicles a cell or more, is never edited, and outlives all location.
 */
export class Results1764800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(COUNTING)
    await runner.query(RELEASES)
    await runner.query(SURVEYS)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop schema results cascade; drop table location.tally, metering.survey_answer, metering.survey',
    )
  }
}

const COUNTING = `
create schema results;
create table results.counting (
  agency text not null,
  month text not null,
  trips bigint not null,
  done bigint not null default 0,
  -- of which their location was destroyed before they were counted
  gone bigint not null default 0,
  vehicles bigint not null default 0,
  last_account text,
  finished_at bigint,
  primary key (agency, month),
  foreign key (agency, month) references money.period
);
-- Cells under way: key is the values of the dimensions, parted by U+001F. Of few, so never shown.
create table location.tally (
  agency text not null,
  month text not null,
  dataset text not null,
  key text not null,
  vehicles integer not null,
  sums bigint[] not null,
  over bigint[] not null,
  squares double precision not null,
  largest bigint not null,
  second bigint not null,
  primary key (agency, month, dataset, key)
);
create function results.added(a bigint[], b bigint[]) returns bigint[] language sql immutable as
  $$ select array_agg(x + y order by place) from unnest(a, b) with ordinality as both_of(x, y, place) $$;
`

const RELEASES = `
create table results.release (
  id text primary key,
  agency text not null references metering.agency,
  dataset text not null,
  -- a month, or the id of a survey
  period text not null,
  -- '' or laplace:500000 (millionths)
  noise text not null default '',
  -- millionths of rho that the noise took from the budget
  cost integer not null default 0 check (cost >= 0),
  k integer not null check (k >= 10),
  rows integer not null,
  few integer not null,
  dominated integer not null,
  complementary integer not null,
  totals bigint[],
  facts jsonb not null,
  digest text not null,
  released_at bigint not null
);
create index on results.release (agency, dataset, period, released_at);
create table results.cell (
  release text not null references results.release,
  place integer not null,
  key text[] not null,
  vehicles integer not null,
  sums bigint[] not null,
  over bigint[] not null,
  squares double precision,
  primary key (release, place)
);
create table results.export (
  id text primary key,
  agency text not null references metering.agency,
  dataset text not null,
  period text not null,
  format text not null check (format in ('csv', 'parquet', 'geoparquet')),
  noise text not null default '',
  asked_by text not null,
  asked_at bigint not null,
  release text references results.release,
  rows bigint,
  bytes bigint,
  sha256 text,
  refused text,
  finished_at bigint
);
create index on results.export (agency, asked_at);
create index export_waiting on results.export (agency, period) where finished_at is null;
create table results.export_part (
  export text not null references results.export,
  file text not null,
  part integer not null,
  bytes bytea not null,
  primary key (export, file, part)
);
create trigger append_only before update or delete or truncate on results.release for each statement execute function money.refuse_change();
create trigger append_only before update or delete or truncate on results.cell for each statement execute function money.refuse_change();
`

const SURVEYS = `
create table metering.survey (
  agency text not null references metering.agency,
  id text not null,
  document jsonb not null,
  from_at bigint not null,
  until_at bigint not null check (until_at > from_at),
  recorded_at bigint not null,
  primary key (agency, id)
);
create table metering.survey_answer (
  agency text not null,
  survey text not null,
  account text not null references metering.account,
  answers jsonb not null,
  recorded_at bigint not null,
  primary key (agency, survey, account),
  foreign key (agency, survey) references metering.survey
);
create trigger append_only before update or delete or truncate on metering.survey for each statement execute function money.refuse_change();
`
