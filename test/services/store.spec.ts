import { readSettings } from '#runtime'
import { dataSourceOptions, openDataSource } from '#store'
import { concurrentSuite } from '../store/concurrent.suite'
import { newDatabase, serverDatabase, type Database } from '../databases'
import { fourEyesSuite } from '../store/four-eyes.suite'
import { schemaSuite } from '../store/schema.suite'
import { turnsSuite } from '../store/turns.suite'
import { workSuite } from '../store/work.suite'
import { zonesSuite } from '../store/zones.suite'

const CONNECTIONS = 8
const url = process.env.DATABASE_URL ?? ''
if (!url) console.warn('SKIPPED: no DATABASE_URL, so nothing here was tried against a real PostgreSQL')

;(url ? describe : describe.skip)('PostgreSQL', () => {
  let database: Database
  beforeAll(async () => {
    database = await serverDatabase(url, CONNECTIONS)
  })
  afterAll(() => database?.close())
  const store = () => database.store

  describe('its schema', () => schemaSuite(store))
  describe('its four eyes', () => fourEyesSuite(store))
  describe('work in it', () => workSuite(store, CONNECTIONS))
  describe('its zones', () => zonesSuite(store, 10_000))
  describe('asked in turns', () => turnsSuite(store))
  describe('written to at once', () => concurrentSuite(store, CONNECTIONS))

  it('is not used before it is migrated', async () => {
    const empty = await newDatabase(url)
    const options = await dataSourceOptions(readSettings({ DATABASE_URL: empty.url }))
    await expect(openDataSource(options, false)).rejects.toThrow(/not up to date: run roadmeter migrate/)
    await empty.drop()
  })
})
