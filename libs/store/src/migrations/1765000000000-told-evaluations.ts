import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** Which evaluations of a pilot were told, and of whom each arm was: whoever has two subtracts. */
export class ToldEvaluations1765000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table results.evaluation (
  agency text not null references metering.agency,
  -- 2026-08,2026-09/2026-10: the months of the baseline and of the pilot
  months text not null,
  arm text not null,
  -- eight bytes of the digest of each vehicle's id, in order
  members bytea not null,
  told_at bigint not null,
  primary key (agency, months, arm)
)`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table results.evaluation')
  }
}
