import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Metrics } from '#runtime'

describe('the alert rules', () => {
  it('watch metrics that exist', async () => {
    const rules = readFileSync(resolve(__dirname, '../../infra/prometheus/alerts.yml'), 'utf8')
    const watched = new Set(
      [...rules.matchAll(/\broadmeter_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, '')),
    )
    const ours = (await new Metrics().registry.getMetricsAsJSON()).map(({ name }) => name)
    expect(watched.size).toBeGreaterThan(3)
    expect([...watched].filter((name) => !ours.includes(name))).toEqual([])
  })
})
