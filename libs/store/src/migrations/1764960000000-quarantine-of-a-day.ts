import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What a device has in quarantine of today is counted with every message that is rejected. */
export class QuarantineOfADay1764960000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create index quarantine_of_a_day on location.quarantine (device, received_at)')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index location.quarantine_of_a_day')
  }
}
