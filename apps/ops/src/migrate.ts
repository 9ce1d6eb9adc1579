import { Command } from 'commander'
import { grantApplication, sealOlder } from '#store'
import { withDatabase } from './database'
import { counted, progress, say } from './printed'

export const migrateCommand = (): Command =>
  new Command('migrate')
    .addHelpText('after', '\nWorks on DATABASE_URL, or on the embedded database in ROADMETER_DATA (./data).')
    .option(
      '--grant <role>',
      'let this role of the server be what the processes sign in as: it can add facts, and change none',
    )
    .action(({ grant }: { grant?: string }) =>
      withDatabase(
        async (store, settings) => {
          const bar = progress('sealing locations')
          const sealed = await sealOlder(store, (some, all) => bar.to(some, all)).finally(() => bar.end())
          if (sealed > 0) say(`${counted(sealed, 'row')} with locations that were kept in plain are sealed now`)
          const done = await store.read<{ name: string }>('select name from migration order by id')
          const where = settings.databaseUrl ? 'DATABASE_URL' : settings.dataDir
          if (grant) {
            const { facts } = await store.transaction((tx) => grantApplication(tx, grant))
            say(`${grant} may add to and not change: ${facts.join(', ')}`)
          }
          say(`the schema in ${where} is up to date: ${done.map((row) => row.name).join(', ')}`)
        },
        { migrate: true },
      ),
    )
