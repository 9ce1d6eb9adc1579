import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { Client } from 'pg'
import { KeyRing, readSettings } from '#runtime'
import { dataSourceOptions, openDataSource, Store, Vault } from '#store'
import { copyTemplate, newFolder } from '../harness'

/** A migrated database of one's own. */
export interface Database {
  readonly store: Store
  close(): Promise<void>
}

export async function embeddedDatabase(): Promise<Database> {
  const folder = newFolder()
  await copyTemplate(folder)
  const settings = readSettings({ ROADMETER_DATA: folder })
  const source = await openDataSource(await dataSourceOptions(settings), true)
  return {
    store: new Store(source, new Vault(new KeyRing(settings))),
    async close() {
      await source.destroy()
      await fs.promises.rm(folder, { recursive: true })
    },
  }
}

/** A database of its own on the server that `url` names; `drop` removes it, whoever is still connected. */
export async function newDatabase(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `roadmeter_test_${randomBytes(6).toString('hex')}`
  const onServer = async (sql: string) => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  await onServer(`create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return { url: own.toString(), drop: () => onServer(`drop database ${name} with (force)`) }
}

export async function serverDatabase(serverUrl: string, connections: number): Promise<Database> {
  const { url, drop } = await newDatabase(serverUrl)
  const folder = newFolder()
  const settings = readSettings({
    DATABASE_URL: url,
    ROADMETER_DATABASE_CONNECTIONS: String(connections),
    ROADMETER_DATA: folder,
  })
  const source = await openDataSource(await dataSourceOptions(settings), true)
  return {
    store: new Store(source, new Vault(new KeyRing(settings))),
    async close() {
      await source.destroy()
      await drop()
      await fs.promises.rm(folder, { recursive: true })
    },
  }
}
