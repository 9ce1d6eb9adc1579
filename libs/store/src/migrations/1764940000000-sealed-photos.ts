import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** Photos of odometers are sealed as locations are: what stands behind the instrument is where somebody was. */
export class SealedPhotos1764940000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // null: as it was kept before, until `roadmeter migrate` has sealed it
    await runner.query('alter table metering.odometer_photo add column key bigint')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table metering.odometer_photo drop column key')
  }
}
