import fs from 'node:fs'
import path from 'node:path'
import { copyTemplate, newFolder } from '../databases'
import { canaries } from './canaries.suite'

// As `npm start` keeps it: an embedded database in a folder, and a broker and a bell that keep nothing.
describe('a thousand canaries', () =>
  canaries(['database files', 'table', 'log'], async () => {
    const folder = newFolder()
    await copyTemplate(folder)
    return {
      // The empty address: embedded, also where the tests' worlds are on a server.
      environment: { DATABASE_URL: '', ROADMETER_DATA: folder },
      admit: () => Promise.resolve(),
      linger: () => Promise.resolve(null),
      async write(word, { store }) {
        await store.dataSource.query(`create table control (word text); insert into control values ('${word}')`)
      },
      async erase(_, { store }) {
        await store.dataSource.query('drop table control')
      },
      async *contents({ store }) {
        await store.dataSource.query('checkpoint')
        for (const file of fs.readdirSync(folder, { recursive: true, withFileTypes: true }))
          if (file.isFile())
            yield ['database files', file.name, fs.readFileSync(path.join(file.parentPath, file.name))] as const
      },
      close: () => fs.promises.rm(folder, { recursive: true, force: true }),
    }
  }))
