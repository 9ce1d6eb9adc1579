import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { matchCommand } from './match'

const folder = mkdtempSync(join(tmpdir(), 'match-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = async (...args: string[]): Promise<string> => {
  let said = ''
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true))
  const paths = ['--network', folder, '--traces', join(folder, 't.csv'), '--out', join(folder, 'out.csv')]
  try {
    await matchCommand()
      .exitOverride()
      .parseAsync([...paths, ...args], { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return said
}

describe('roadmeter match', () => {
  beforeAll(() => {
    // Three edges in a row, both ways, and a drive over the first two and a third of the last.
    const nodes = [0, 1, 2, 3].map((i) => `${i},${7.5 + i * 0.002},47.5`)
    const edges = [0, 1, 2].flatMap((i) => [`${2 * i},${i},${i + 1}`, `${2 * i + 1},${i + 1},${i}`])
    writeFileSync(join(folder, 'nodes.csv'), ['node_id,lon,lat', ...nodes, ''].join('\n'))
    writeFileSync(join(folder, 'edges.csv'), ['edge_id,from,to', ...edges, ''].join('\n'))
    const fixes = Array.from({ length: 47 }, (_, i) => `a,${i},${(7.5 + i * 0.0001).toFixed(7)},47.50002`)
    writeFileSync(join(folder, 't.csv'), ['trace_id,t,lon,lat', ...fixes, ''].join('\n'))
  })
  it('writes the edges that were driven by at least half, and says how fast', async () => {
    const said = JSON.parse(await run('--json'))
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe('trace_id,seq,edge_id\na,0,0\na,1,2\n')
    expect(said).toMatchObject({ traces: 1, fixes: 47, breaks: 0, fates: { matched: 47 } })
    expect(said.fixes_per_s).toBeGreaterThan(0)
    expect(await run()).toMatch(/^47 fixes of 1 traces matched in [\d.]+ s: \d+ fixes\/s\n$/)
  })
  it('writes the same where it is streamed', async () => {
    await run('--streamed', '10')
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe('trace_id,seq,edge_id\na,0,0\na,1,2\n')
    await expect(run('--traces', join(folder, 'none.csv'))).rejects.toThrow(/none\.csv: no such file/)
  })
})
