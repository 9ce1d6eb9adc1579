import { type Place } from './coverage'
import { parsePolicy } from '#policy'
import { coverageOf } from '#rating'

const square = (x: number) => ({ type: 'Polygon', coordinates: [[[x, 50], [x + 1, 50], [x + 1, 51], [x, 51], [x, 50]]] }) // prettier-ignore
const policy = (rules: object[], zones: object = {}) =>
  parsePolicy({
    v: 1,
    id: 'p',
    name: 'P',
    currency: 'EUR',
    timeZone: 'Europe/Brussels',
    startsAt: '2026-01-01T00:00:00+01:00',
    jurisdiction: 'city',
    zones,
    rules: [...rules, { id: 'rest', name: 'Rest', match: {}, price: { perKm: '0.01' } }],
  })
const place = (over: Partial<Place> = {}): Place => ({ roadClass: 'primary', access: 'public', zones: [], lengthMm: 1000, ...over }) // prettier-ignore
const rule = (id: string, match: object) => ({ id, name: id, match, price: { perKm: '0.02' } })

describe('coverage of a map', () => {
  it('names what never comes first there: hidden by several rules together, without a road, for no vehicle', () => {
    const document = policy(
      [
        rule('am', { zones: ['a'], times: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '12:00' }] }),
        rule('pm', { zones: ['a'], times: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '12:00', to: '24:00' }] }),
        rule('hidden', { zones: ['a'] }),
        rule('tracks', { roadClasses: ['track'] }),
        rule('heavy', { weightKg: { from: 12_000 } }),
      ],
      { a: { name: 'A', geometry: square(4) }, b: { name: 'B', geometry: square(6) } },
    ) // prettier-ignore
    const { faults, questions, cells, lengthMm } = coverageOf(
      document,
      [place({ zones: ['a'] }), place({ lengthMm: 5 })],
      ['b'],
    )
    expect(faults.map(({ path, found }) => `${path}: ${found}`)).toEqual([
      'zones.b: none: it lies elsewhere, or between roads',
    ])
    expect(questions).toEqual([
      {
        path: 'rules[2]',
        question: 'Is "hidden" wanted? It comes first nowhere on the map, for no vehicle at no hour.',
      },
      {
        path: 'rules[3]',
        question: 'Is "tracks" wanted? It comes first nowhere on the map, for no vehicle at no hour.',
      },
    ])
    // 2 places x 5 vehicle classes x (any, heavy) x 2 bands of the week
    expect(cells).toBe(40)
    expect(Object.fromEntries(lengthMm)).toEqual({ am: 1000, pm: 1000, hidden: 0, tracks: 0, heavy: 5, rest: 5 })
  })
  it('names roads of two jurisdictions', () => {
    const document = policy([], {
      a: { name: 'A', geometry: square(4), jurisdiction: 'x' },
      b: { name: 'B', geometry: square(4), jurisdiction: 'y' },
    })
    expect(coverageOf(document, [place({ zones: ['a', 'b'] })]).faults).toEqual([
      {
        path: 'zones.b.jurisdiction',
        expected: 'expected each road in one jurisdiction',
        found: 'a and b, of x and y, share roads',
      },
    ])
  })
})
