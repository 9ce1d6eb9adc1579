import { concurrentSuite } from './concurrent.suite'
import { embeddedDatabase, type Database } from '../databases'
import { fourEyesSuite } from './four-eyes.suite'
import { schemaSuite } from './schema.suite'
import { turnsSuite } from './turns.suite'
import { workSuite } from './work.suite'
import { zonesSuite } from './zones.suite'

describe('the embedded database', () => {
  let database: Database
  beforeAll(async () => {
    database = await embeddedDatabase()
  })
  afterAll(() => database?.close())
  const store = () => database.store

  describe('its schema', () => schemaSuite(store))
  describe('its four eyes', () => fourEyesSuite(store))
  describe('work in it', () => workSuite(store, 4))
  describe('its zones', () => zonesSuite(store, 2_000))
  describe('asked in turns', () => turnsSuite(store))
  describe('written to at once', () => concurrentSuite(store, 3))
})
