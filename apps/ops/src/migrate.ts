import { Command } from 'commander'
import { withDatabase } from './database'
import { say } from './printed'

export const migrateCommand = (): Command =>
  new Command('migrate')
    .description('make the database, or bring its schema up to date')
    .addHelpText('after', '\nWorks on DATABASE_URL, or on the embedded database in ROADMETER_DATA (./data).')
    .action(() =>
      withDatabase(
        async (store, settings) => {
          const done = await store.read<{ name: string }>('select name from migration order by id')
          const where = settings.databaseUrl ? 'DATABASE_URL' : settings.dataDir
          say(`the schema in ${where} is up to date: ${done.map((row) => row.name).join(', ')}`)
        },
        { migrate: true },
      ),
    )
