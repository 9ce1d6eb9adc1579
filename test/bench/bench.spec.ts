import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { asJson, asTable, median } from './figures'
import { quantile } from '.'
import { compareRoutes, mismatchOf } from './mismatch'

const figures = [
  { key: 'fixes_per_s', unit: 'fixes/s', bar: ['>=', 1_000_000], values: [1_200_000.4, 900_000, 1_100_000] },
  { key: 'load_ms', unit: 'ms', bar: ['<', 2], values: [3.14159] },
] as const

describe('figures of a bench', () => {
  it('are medians, in an object or a table', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5)
    expect(JSON.parse(asJson({ bench: 'x', seed: '1' }, figures))).toEqual({
      bench: 'x',
      seed: '1',
      fixes_per_s: 1_100_000,
      load_ms: 3.142,
    })
    const table = asTable({ bench: 'x', seed: '7', runs: 3 }, 'how fast', figures)
    expect(table).toContain('x: how fast (median of 3 rounds, seed 7)')
    expect(table).toMatch(/fixes_per_s +1,100,000 +fixes\/s +900,000 to 1,200,000 +reaches >= 1,000,000/)
    expect(table).toMatch(/load_ms +3\.142 +ms +MISSES < 2/)
  })
})

describe('the comparison of routes', () => {
  const piece = (segment: number, fromMm: number, toMm: number) => ({ segment, fromMm, toMm })
  it('is to the millimetre, in order, however the pieces are cut', () => {
    const driven = [piece(1, 400, 1000), piece(2, 0, 500), piece(1, 0, 300)]
    expect(compareRoutes(driven, driven)).toEqual({ trueMm: 1400, foundMm: 1400, commonMm: 1400 })
    const cut = [piece(1, 500, 700), piece(1, 700, 1000), piece(2, 0, 500), piece(3, 0, 50), piece(1, 0, 300)]
    expect(compareRoutes(driven, cut)).toEqual({ trueMm: 1400, foundMm: 1350, commonMm: 1300 })
    expect(mismatchOf(compareRoutes(driven, cut))).toBeCloseTo(150 / 1400)
    // The other way round only the heaviest of its pieces is in order.
    expect(compareRoutes(driven, [...driven].reverse()).commonMm).toBe(600)
    expect(mismatchOf(compareRoutes(driven, []))).toBe(1)
  })
})

describe('a bench', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['infra/bench.cjs', ...args], { cwd: resolve(__dirname, '../..'), encoding: 'utf8' })
  it('prints every figure that it names, as JSON', () => {
    const { stdout, stderr, status } = run('libs/map-matching/bench/matching.ts', '--quick', '--json')
    expect([status, stderr.replace(/^roadmeter: .*$/gm, '').trim()]).toEqual([0, ''])
    const found = JSON.parse(stdout)
    const rates = ['1s', '10s', '30s', '60s', 'unthinned'].map((rate) => `fixes_per_s_${rate}`)
    const sizes = ['state_bytes_max', 'bytes_per_segment', 'load_ms', 'batch_p99_ms']
    const ratios = ['streamed_ratio', 'worker_speedup', 'turf_ratio', 'big_network_ratio', 'build_growth']
    for (const key of [...rates, ...sizes, ...ratios]) expect(found[key]).toBeGreaterThan(0)
  })
  it('measures accuracy against the exact truth', () => {
    const { stdout, status } = run('libs/map-matching/bench/noise.ts', '--quick', '--json')
    expect(status).toBe(0)
    const found = JSON.parse(stdout)
    for (const key of ['', 'canyon_']) {
      expect(found[`${key}drives`]).toBeGreaterThan(3)
      expect(found[`${key}mismatch_1s`]).toBeLessThan(10)
      expect(found[`${key}mismatch_1s`]).toBeCloseTo(found[`${key}not_driven_1s`] + found[`${key}not_found_1s`], 1)
    }
  })
  it('refuses what it does not know in one line', () => {
    const file = 'libs/map-matching/bench/matching.ts'
    expect(run(file, '--quick', '--only', 'speed')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^bench:matching: --only: no speed; there are fixes_per_s_1s, .*\n$/),
    })
    expect(run(file, '--runs', 'many')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--runs: expected'),
    })
  })
})
