import { readFileSync } from 'node:fs'
import { SETTINGS } from '#runtime'

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { settingsTable, BETWEEN_MARKERS, README } = require('../../infra/settings-table.cjs')

describe('the settings', () => {
  it('are in the README as they are in the program (npm run docs:settings writes them)', () => {
    expect(BETWEEN_MARKERS.exec(readFileSync(README, 'utf8'))?.[0]).toBe(settingsTable(SETTINGS))
  })
  it('that infra/ and docker-compose.yml name exist', () => {
    const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env))
    const compose = readFileSync(`${__dirname}/../../docker-compose.yml`, 'utf8')
    const named = [...compose.matchAll(/^ +((?:ROADMETER|DATABASE|MQTT|REDIS)_[A-Z_]+):/gm)].map((match) => match[1])
    expect(named.length).toBeGreaterThan(3)
    expect(named.filter((env) => !known.has(env))).toEqual([])
  })
})
