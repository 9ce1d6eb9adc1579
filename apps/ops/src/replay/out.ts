import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { statementSchema } from '#contracts'
import { InputError } from '#kernel'
import { proofOf } from '#pipeline'
import { statementCsv, statementHtml } from '#statement'
import { type Store } from '#store'
import { deletedAtTheEnd } from '../leaving'
import { type Result } from './results'

export interface Out {
  files: number
  write(store: Store, results: readonly Result[]): Promise<void>
}

/**
 * A folder for statements that is there whole or not at all: files are written beside it and take its name together, at the
 * end. InputError where it holds something already or can't be made.
 */
export async function reserveOut(folder: string): Promise<Out> {
  const target = resolve(folder)
  const held = existsSync(target) ? await readdir(target).catch(() => ['a file']) : []
  if (held.length) throw new InputError('OUT', `${folder}: expected a new or an empty folder, it holds ${held[0]}`)
  const made = await mkdir(dirname(target), { recursive: true })
    .then(() => mkdtemp(`${target}.part-`))
    .catch((error: Error) => {
      throw new InputError('OUT', `${folder}: can't be written: ${error.message}`)
    })
  const keep = deletedAtTheEnd(made)
  const out: Out = {
    files: 0,
    async write(store, results) {
      try {
        const taken = new Set<string>()
        for (const { part, statements } of results)
          for (const row of statements) {
            const name = `${part.drive.name.replace(/[^A-Za-z0-9._-]/g, '-')}-${row.month}`
            const unique = taken.has(name) ? `${name}-${row.id.slice(0, 8)}` : name
            taken.add(unique)
            const statement = statementSchema.parse(JSON.parse(row.document))
            await writeFile(join(made, `${unique}.json`), row.document)
            await writeFile(join(made, `${unique}.csv`), statementCsv(statement))
            await writeFile(join(made, `${unique}.html`), statementHtml(statement, await proofOf(store, row)))
            out.files += 3
          }
        // Where an empty folder may not be replaced by another, it goes first.
        if (existsSync(target)) await rm(target, { recursive: true })
        await rename(made, target)
      } catch (error) {
        if (!(error as NodeJS.ErrnoException).syscall) throw error
        throw new InputError('OUT', `${folder}: can't be written: ${(error as Error).message}`)
      }
      keep()
    },
  }
  return out
}
