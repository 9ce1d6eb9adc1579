import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What was told of a shadow, each time that it had grown: as roads are destroyed its trips go, and whoever has a larger sum subtracts. */
export class ToldShadows1765030000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table tariff.shadow_report (
  agency text not null,
  policy text not null,
  revision integer not null,
  -- trips that were matched before then
  until bigint not null,
  comparison jsonb not null,
  told_at bigint not null,
  primary key (agency, policy, revision, until),
  foreign key (agency, policy, revision) references tariff.revision
)`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tariff.shadow_report')
  }
}
