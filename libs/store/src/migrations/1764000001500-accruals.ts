import { type MigrationInterface, type QueryRunner } from 'typeorm'

/**
 * Windows of all accruals, not of daily caps alone: the sums that they count, and how they stood on each statement. What a
 * single trip had added isn't needed any more: a window is a sum, so what it stood at says it all. And what tariffs may ask
 * of a vehicle, over time.
 */
export class Accruals1764000001500 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
alter table money.charge add column count integer;
alter table money.cap_window add column distance_mm bigint not null default 0;
alter table money.cap_window add column fuel_tax bigint not null default 0;
alter table money.cap_window add column flats bigint[] not null default '{}';
create table money.billed_window (
  policy text not null,
  cap text not null,
  vehicle text not null references metering.vehicle,
  span text not null,
  month text not null,
  gross bigint not null,
  credit bigint not null,
  distance_mm bigint not null default 0,
  fuel_tax bigint not null default 0,
  flats bigint[] not null default '{}',
  primary key (policy, cap, vehicle, span, month)
);
insert into money.billed_window (policy, cap, vehicle, span, month, gross, credit)
  select policy, cap, vehicle, span, month, gross, least(gross, amount) - gross
  from (
    select w.policy, w.cap, w.vehicle, w.span, p.month, c.amount,
      (sum(sum(w.gross)) over (partition by w.policy, w.cap, w.vehicle, w.span order by p.month))::bigint as gross
    from money.window_trip w
      join money.period_trip p on p.trip = w.trip
      join money.statement s on s.account = p.account and s.month = p.month
      join tariff.policy t on t.agency = p.agency and t.id = w.policy
      cross join lateral (select (item.said->>'amount')::numeric * 1000000 as amount from jsonb_array_elements(t.document->'caps') as item(said) where item.said->>'id' = w.cap) c
    group by w.policy, w.cap, w.vehicle, w.span, p.month, c.amount
  ) stood;
drop table money.window_trip;
create table metering.vehicle_profile (
  vehicle text not null references metering.vehicle,
  from_at bigint not null,
  profile jsonb not null,
  recorded_at bigint not null,
  primary key (vehicle, from_at)
);
create trigger append_only before update or delete or truncate on metering.vehicle_profile for each statement execute function money.refuse_change();
`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
drop table metering.vehicle_profile;
create table money.window_trip (
  policy text not null,
  cap text not null,
  vehicle text not null,
  span text not null,
  trip text not null references metering.trip,
  gross bigint not null,
  primary key (policy, cap, vehicle, span, trip),
  foreign key (policy, cap, vehicle, span) references money.cap_window
);
create index on money.window_trip (trip);
create index on money.window_trip (vehicle);
drop table money.billed_window;
alter table money.cap_window drop column distance_mm, drop column fuel_tax, drop column flats;
alter table money.charge drop column count`)
  }
}
