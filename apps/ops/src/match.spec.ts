import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { matchCommand } from './match'

/** Of the drives below, at any rate; a change that brings more is no improvement. */
const MISMATCH_MAX = 0.02

const folder = mkdtempSync(join(tmpdir(), 'match-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]): Promise<string> =>
  match('--network', folder, '--traces', join(folder, 't.csv'), '--out', join(folder, 'out.csv'), ...args)
const match = async (...args: string[]): Promise<string> => {
  let said = ''
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true))
  try {
    await matchCommand().exitOverride().parseAsync(args, { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return said
}

describe('roadmeter match', () => {
  beforeAll(() => {
    // Three edges of 151 m in a row, both ways, and a drive over the first two and 45 m of the last.
    const nodes = [0, 1, 2, 3].map((i) => `${i},${7.5 + i * 0.002},47.5`)
    const edges = [0, 1, 2].flatMap((i) => [`${2 * i},${i},${i + 1}`, `${2 * i + 1},${i + 1},${i}`])
    writeFileSync(join(folder, 'nodes.csv'), ['node_id,lon,lat', ...nodes, ''].join('\n'))
    writeFileSync(join(folder, 'edges.csv'), ['edge_id,from,to', ...edges, ''].join('\n'))
    const fixes = Array.from({ length: 47 }, (_, i) => `a,${i},${(7.5 + i * 0.0001).toFixed(7)},47.50002`)
    writeFileSync(join(folder, 't.csv'), ['trace_id,t,lon,lat', ...fixes, ''].join('\n'))
  })
  it('writes the edges that were driven, the last of them in part, and says how fast', async () => {
    const said = JSON.parse(await run('--json'))
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe('trace_id,seq,edge_id\na,0,0\na,1,2\na,2,4\n')
    expect(said).toMatchObject({ traces: 1, fixes: 47, breaks: 0, fates: { matched: 47 } })
    expect(said.fixes_per_s).toBeGreaterThan(0)
    expect(await run()).toMatch(/^47 fixes of 1 trace matched in [\d.]+ s: [\d,]+ fixes\/s\n$/)
  })
  it('draws a page for each trace, whatever its name, and writes over nothing that it reads', async () => {
    const [traces, out, pages] = ['named.csv', 'named-out.csv', 'pages'].map((name) => join(folder, name))
    const rows = ['é', 'ö', 'A', 'a', '_'].flatMap((id) => [`${id},0,7.5,47.5`, `${id},9,7.501,47.5`])
    writeFileSync(traces, ['trace_id,t,lon,lat', ...rows, ''].join('\n'))
    await match('--network', folder, '--traces', traces, '--out', out, '--picture', pages)
    expect(readdirSync(pages).sort()).toEqual(['A.html', '_-2.html', '_-3.html', '_.html', 'a-2.html'])
    const before = readFileSync(traces, 'utf8')
    const refused = (...args: string[]) => match('--network', folder, '--traces', traces, ...args)
    for (const input of [traces, join(folder, 'edges.csv'), join(folder, 'nodes.csv')])
      await expect(refused('--out', input)).rejects.toMatchObject({ code: 'OUT_IS_INPUT' })
    await expect(refused('--out', out, '--truth', out)).rejects.toMatchObject({ code: 'NO_PICTURE' })
    expect(readFileSync(traces, 'utf8')).toBe(before)
  })
  it('counts an edge once that was driven in parts, the middle one in a long silence', async () => {
    // Edges of 200 m, 1 km and 200 m with side streets between them; of the kilometre a third is heard, a third not, a third heard.
    const at = (metres: number) => (7.5 + metres / 75_330).toFixed(7)
    const nodes = [0, 200, 1_200, 1_400].map((metres, i) => `${i},${at(metres)},47.5`)
    const sides = [200, 1_200].map((metres, i) => `${10 + i},${at(metres)},47.51`)
    const edges = ['0,0,1', '1,1,2', '2,2,3', '3,1,10', '4,2,11']
    const roads = join(folder, 'silent')
    mkdirSync(roads)
    writeFileSync(join(roads, 'nodes.csv'), ['node_id,lon,lat', ...nodes, ...sides, ''].join('\n'))
    writeFileSync(join(roads, 'edges.csv'), ['edge_id,from,to', ...edges, ''].join('\n'))
    const heard = Array.from({ length: 141 }, (_, i) => 10 * i).filter((metres) => metres <= 530 || metres >= 880)
    const rows = heard.map((metres) => `a,${metres / 10 + (metres > 530 ? 200 : 0)},${at(metres)},47.5`)
    const [traces, out] = [join(roads, 't.csv'), join(roads, 'out.csv')]
    writeFileSync(traces, ['trace_id,t,lon,lat', ...rows, ''].join('\n'))
    await match('--network', roads, '--traces', traces, '--out', out)
    expect(readFileSync(out, 'utf8')).toBe('trace_id,seq,edge_id\na,0,0\na,1,1\na,2,2\n')
  })
  it.each([
    ['surely', '0.5', ',2,4'],
    ['perhaps', '12', ''],
  ])('counts the edge that a drive %s just touched, by what its fixes scatter by', async (_, offM, last) => {
    const out = join(folder, `touched-${offM}.csv`)
    const traces = join(folder, `touches-${offM}.csv`)
    // To 3 m behind the second node, now left, now right of the road.
    const fixes = Array.from({ length: 41 }, (_, i) => {
      const lon = 7.5 + i * 0.000_101
      return `a,${i},${lon.toFixed(7)},${(47.5 + ((i % 2 === 0 ? 1 : -1) * Number(offM)) / 111_200).toFixed(7)}`
    })
    writeFileSync(traces, ['trace_id,t,lon,lat', ...fixes, ''].join('\n'))
    await run('--traces', traces, '--out', out)
    expect(readFileSync(out, 'utf8')).toBe(`trace_id,seq,edge_id\na,0,0\na,1,2\n${last && `a${last}\n`}`)
  })
  it('writes the same where it is streamed', async () => {
    await run('--streamed', '10')
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe('trace_id,seq,edge_id\na,0,0\na,1,2\na,2,4\n')
    await expect(run('--traces', join(folder, 'none.csv'))).rejects.toThrow(/none\.csv: no such file/)
  })
})

// The scorer that the matchers of the field were measured with; what it says of this one is in docs/matching.md.
const shared = resolve(__dirname, '../../../../shared')
const scorer = join(shared, 'score/score.mjs')
const there = existsSync(scorer)
if (!there) console.warn(`SKIPPED: scoring recorded drives needs ${scorer}`)
;(there ? describe : describe.skip)('recorded drives', () => {
  const score = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [scorer, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return stdout
  }
  const all = there ? readdirSync(join(shared, 'data/kubicka')).sort() : []
  // Every tenth: all of them take minutes.
  const some = all.filter((_, i) => i % 10 === 0)
  const suite = join(folder, 'suite')
  beforeAll(() => {
    mkdirSync(suite)
    for (const net of some) symlinkSync(join(shared, 'data/kubicka', net), join(suite, net))
  })
  it.each([1, 10])('are found as the scorer wants them, with a fix every %d s, streamed or not', async (periodS) => {
    const [traces, whole, streamed] = ['traces', 'whole', 'streamed'].map((name) => join(folder, `${name}-${periodS}`))
    score('--suite', suite, '--every', String(periodS), '--write-traces', traces)
    mkdirSync(whole)
    mkdirSync(streamed)
    for (const net of some) {
      const given = ['--network', join(suite, net), '--traces', join(traces, `${net}.csv`), '--json']
      await match(...given, '--out', join(whole, `${net}.csv`))
      await match(...given, '--out', join(streamed, `${net}.csv`), '--streamed', '60')
      expect(readFileSync(join(streamed, `${net}.csv`))).toEqual(readFileSync(join(whole, `${net}.csv`)))
    }
    const found = JSON.parse(score('--suite', suite, '--every', String(periodS), '--result', whole))
    expect(found).toMatchObject({ traces: some.length, empty: 0 })
    expect(found.mismatch_total).toBeLessThan(MISMATCH_MAX)
    expect(found.correct_fraction).toBeGreaterThan(0.98)
  })
})
