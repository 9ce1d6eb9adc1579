import { ownDatabase, type Database } from '../databases'
import { tamperSuite } from './tamper.suite'

describe('tampering with the ledger', () => {
  let database: Database
  beforeAll(async () => {
    database = await ownDatabase()
  })
  afterAll(() => database?.close())
  // All of them: npm run test:tamper
  tamperSuite(() => database.store, Number(process.env.TAMPER_EDITS ?? 160))
})
