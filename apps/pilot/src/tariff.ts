import { parsePolicy } from '#policy'

const RUSH_HOUR = {
  zones: ['centre'],
  times: [
    { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '06:30', to: '09:00' },
    { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '15:30', to: '18:00' },
  ],
}

/**
 * The demo city's tariff: a centre that is dearer in the rush hour, less so for one arm of its trial; a cheap motorway, free private
 * roads and a daily cap. Bills say what the tax on petrol would have come to.
 */
export const TARIFF = parsePolicy({
  v: 1,
  id: 'gothenburg-pilot-2026',
  name: 'Gothenburg road-use pilot',
  description:
    'A made-up tariff for a real city. The centre costs more, and most in the rush hour; private roads are free; nobody pays more than 60 kronor a day.',
  currency: 'SEK',
  timeZone: 'Europe/Stockholm',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'gothenburg',
  zones: {
    centre: {
      name: 'City centre',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [11.943, 57.694],
            [11.966, 57.69],
            [11.993, 57.694],
            [12.001, 57.706],
            [11.988, 57.716],
            [11.962, 57.715],
            [11.944, 57.706],
            [11.943, 57.694],
          ],
        ],
      },
    },
  },
  rules: [
    { id: 'private', name: 'Private roads', match: { access: ['private'] }, price: { free: 'private road' } },
    {
      id: 'centre-rush-trial',
      name: 'City centre, rush hour, on trial',
      match: { ...RUSH_HOUR, arms: ['milder'] },
      price: { perMile: '4.50' },
    },
    {
      id: 'centre-rush',
      name: 'City centre, rush hour',
      match: RUSH_HOUR,
      price: { perMile: '6.00' },
    },
    { id: 'centre', name: 'City centre', match: { zones: ['centre'] }, price: { perMile: '3.00' } },
    { id: 'trucks', name: 'Trucks', match: { vehicleClasses: ['truck'] }, price: { perMile: '4.50' } },
    {
      id: 'fast-roads',
      name: 'Motorways and trunk roads',
      match: { roadClasses: ['motorway', 'trunk'] },
      price: { perMile: '0.90' },
    },
    { id: 'base', name: 'All other roads', match: {}, price: { perMile: '1.50' } },
  ],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '60.00' }],
  billing: {
    unit: 'mile',
    coin: '0.01',
    reviewDays: 10,
    dueDays: 30,
    // What a car that goes 14 km on a litre pays at the pump.
    comparison: { fuelTax: { name: 'Tax on petrol', per: 'litre', amount: '5.50', economy: '14' } },
  },
})
