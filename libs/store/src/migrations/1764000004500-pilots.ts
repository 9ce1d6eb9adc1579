import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** Randomised trials: the seed that draws vehicles into arms, from a moment on. */
export class Pilots1764000004500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table tariff.pilot (
  agency text not null references metering.agency,
  from_at bigint not null,
  seed text not null,
  arms jsonb not null,
  reason text not null,
  recorded_at bigint not null check (recorded_at <= from_at),
  primary key (agency, from_at)
);
create trigger append_only before update or delete or truncate on tariff.pilot for each statement execute function money.refuse_change();`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tariff.pilot')
  }
}
