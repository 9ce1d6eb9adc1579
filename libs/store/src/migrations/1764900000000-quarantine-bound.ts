import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What was rejected and not kept, because its device had filled its share of the quarantine for the day. */
export class QuarantineBound1764900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table metering.balance add column unkept bigint not null default 0')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table metering.balance drop column unkept')
  }
}
