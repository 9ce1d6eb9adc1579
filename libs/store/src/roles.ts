import { InputError } from '#kernel'
import { type Tx } from './store'

const SCHEMAS = ['identity', 'metering', 'location', 'tariff', 'money', 'results']

/**
 * Lets a role of the server do what our processes do, and no more: everything with what is kept up to date, but only select and
 * insert where facts are added and never edited. Which those are, the schema itself says: the tables with an `append_only` trigger.
 * The role owns nothing, so it can't take a trigger away either. Throws InputError where there is no such role.
 */
export async function grantApplication(tx: Tx, role: string): Promise<{ readonly facts: string[] }> {
  if (!(await tx.row('select 1 from pg_roles where rolname = $1', [role])))
    throw new InputError('NO_ROLE', `the server has no role ${role}: create role ${role} login password '...'`)
  const name = `"${role.replaceAll('"', '""')}"`
  for (const schema of SCHEMAS) {
    await tx.run(`grant usage on schema ${schema} to ${name}`)
    await tx.run(`revoke all on all tables in schema ${schema} from ${name}`)
    await tx.run(`grant select, insert, update, delete on all tables in schema ${schema} to ${name}`)
    await tx.run(`grant usage on all sequences in schema ${schema} to ${name}`)
  }
  await tx.run(`grant select on migration to ${name}`)
  const facts = await tx.rows<{ name: string }>(
    `select distinct t.tgrelid::regclass::text as name from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgname = 'append_only' and n.nspname = any($1::text[]) and c.relname <> 'statement' order by 1`,
    [SCHEMAS],
  )
  for (const fact of facts) await tx.run(`revoke update, delete on ${fact.name} from ${name}`)
  return { facts: facts.map((fact) => fact.name) }
}
