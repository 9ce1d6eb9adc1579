import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What was driven for nothing is counted beside what was charged: a released table that has both must not tell who drove the difference. */
export class TrafficBesideTables1764940000500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table location.segment_count
      add column free_vehicles integer not null default 0, add column free_mm bigint not null default 0`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table location.segment_count drop column free_vehicles, drop column free_mm')
  }
}
