import { InputError } from '#kernel'
import { isolate, SCHEMAS } from './isolation'
import { CITIZEN, MACHINE, PERSON } from './scope'
import { type Tx } from './store'

/**
 * Lets a role of the server do what our processes do, and no more: everything with what is kept up to date, but only select and
 * insert where facts are added and never edited. Which those are, the schema itself says: the tables with an `append_only` trigger.
 * The role owns nothing, so it can't take a trigger or a policy away either. It works as a machine, and takes the lesser rights of
 * whoever asks in each transaction of theirs. Throws InputError where there is no such role.
 */
export async function grantApplication(tx: Tx, role: string): Promise<{ readonly facts: string[] }> {
  if (!(await tx.row('select 1 from pg_roles where rolname = $1', [role])))
    throw new InputError('NO_ROLE', `the server has no role ${role}: create role ${role} login password '...'`)
  await isolate(tx)
  const name = `"${role.replaceAll('"', '""')}"`
  for (const schema of SCHEMAS) await tx.run(`revoke all on all tables in schema ${schema} from ${name}`)
  await tx.run(`grant ${MACHINE}, ${PERSON}, ${CITIZEN} to ${name}`)
  // The start of a process asks whether the schema is up to date.
  await tx.run(`grant select on migration to ${name}`)
  const facts = await tx.rows<{ name: string }>(
    `select distinct t.tgrelid::regclass::text as name from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgname = 'append_only' and n.nspname = any($1::text[]) and c.relname <> 'statement' order by 1`,
    [SCHEMAS],
  )
  return { facts: facts.map((fact) => fact.name) }
}
