import { shareGroup } from './topics'

describe('the group that ingests share', () => {
  it('is the same for all of one password, and nobody else can name it', () => {
    const group = shareGroup('ingest', 'hush')
    expect(group).toMatch(/^roadmeter-[0-9a-f]{32}$/)
    expect(shareGroup('ingest', 'hush')).toBe(group)
    expect(shareGroup('ingest', 'other')).not.toBe(group)
  })
})
