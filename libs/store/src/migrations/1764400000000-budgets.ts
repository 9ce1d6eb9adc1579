import { type MigrationInterface, type QueryRunner } from 'typeorm'

/** What citizens want a month to cost at most. */
export class Budgets1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
create table money.budget (
  account text primary key references metering.account,
  amount bigint not null check (amount > 0),
  alert_percent int not null check (alert_percent between 10 and 100)
);`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table money.budget')
  }
}
