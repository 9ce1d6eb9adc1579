import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { digest } from '#kernel'
import { KeyRing, readSettings } from '#runtime'
import { dataSourceOptions, openDataSource, Store, Vault } from '#store'

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

export interface ServerDatabase {
  readonly url: string
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>
}

/** A database of its own, and empty, on the server that `url` names. */
export async function newDatabase(url: string): Promise<ServerDatabase> {
  return onServer(url, (server) => create(server, url, `roadmeter_test_${randomBytes(6).toString('hex')}`))
}

/** A database of its own, and migrated, on the server that `url` names: a copy of one that is migrated once. */
export async function migratedDatabase(url: string): Promise<ServerDatabase> {
  const template = `roadmeter_template_${schemaVersion()}`
  return onServer(url, async (server) => {
    // Test files run side by side: whoever is first makes the template, the others wait for it here.
    await server.query('select pg_advisory_lock(7451)')
    const { rowCount } = await server.query('select from pg_database where datname = $1', [template])
    if (!rowCount) {
      await server.query(`drop database if exists ${template}_made with (force)`)
      const made = await create(server, url, `${template}_made`)
      const settings = readSettings({ ROADMETER_DATA: os.tmpdir(), DATABASE_URL: made.url })
      await (await openDataSource(await dataSourceOptions(settings), true)).destroy()
      await server.query(`alter database ${template}_made rename to ${template}`)
    }
    return create(server, url, `roadmeter_test_${randomBytes(6).toString('hex')}`, `template ${template}`)
  })
}

async function create(server: Client, url: string, name: string, how = ''): Promise<ServerDatabase> {
  await server.query(`create database ${name} ${how}`)
  const drop = () => onServer(url, (again) => again.query(`drop database if exists ${name} with (force)`))
  return {
    url: Object.assign(new URL(url), { pathname: `/${name}` }).toString(),
    drop: async () => void (await drop()),
  }
}

async function onServer<T>(url: string, work: (server: Client) => Promise<T>): Promise<T> {
  const server = new Client({ connectionString: url })
  await server.connect()
  try {
    return await work(server)
  } finally {
    await server.end()
  }
}

/** A migrated database on the server of ROADMETER_TEST_DATABASE_URL; null where that isn't set. */
export const toldDatabase = async (): Promise<ServerDatabase | null> => {
  const server = process.env.ROADMETER_TEST_DATABASE_URL
  return server ? migratedDatabase(server) : null
}

/** On the server of ROADMETER_TEST_DATABASE_URL if that is set, else embedded. */
export const ownDatabase = (): Promise<Database> =>
  process.env.ROADMETER_TEST_DATABASE_URL
    ? serverDatabase(process.env.ROADMETER_TEST_DATABASE_URL, 2)
    : embeddedDatabase()

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

export const newFolder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'roadmeter-test-'))

/** Opening a new embedded database takes seconds; copying one that is migrated takes none. */
export async function copyTemplate(folder: string): Promise<void> {
  const template = path.join(os.tmpdir(), `roadmeter-template-${schemaVersion()}`)
  if (!fs.existsSync(template)) {
    const made = newFolder()
    const source = await openDataSource(await dataSourceOptions(readSettings({ ROADMETER_DATA: made })), true)
    await source.destroy()
    // Test files run side by side: whoever is first leaves its copy, the others' is as good.
    await fs.promises.rename(made, template).catch(() => fs.promises.rm(made, { recursive: true }))
  }
  await fs.promises.cp(template, folder, { recursive: true })
}

/** What the migrations say, in twelve digits. */
const schemaVersion = (): string =>
  digest(fs.readdirSync(MIGRATIONS).map((file) => fs.readFileSync(path.join(MIGRATIONS, file), 'utf8'))).slice(0, 12)
const MIGRATIONS = path.join(__dirname, '../libs/store/src/migrations')
