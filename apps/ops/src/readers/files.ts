import { createReadStream, existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { InputError } from '#kernel'

/** The file, or the file with `.gz` behind it; InputError NO_FILE where there is neither. */
export function present(path: string): string {
  if (existsSync(path)) return path
  if (existsSync(`${path}.gz`)) return `${path}.gz`
  throw new InputError('NO_FILE', `${path}: no such file or folder`)
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory()
}

/** What a file says, unpacked where its name ends in `.gz`. Failures surface as InputError BROKEN_FILE while it is read. */
export async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path)
  let source: Readable = file
  if (path.endsWith('.gz')) {
    const gunzip = createGunzip()
    file.on('error', (error) => gunzip.destroy(error))
    source = file.pipe(gunzip)
  }
  try {
    for await (const chunk of source) yield chunk as Buffer
  } catch (error) {
    throw new InputError('BROKEN_FILE', `${path}: cannot be read: ${(error as Error).message}`)
  } finally {
    file.destroy()
  }
}

/** Lines of a UTF-8 text file with their numbers from 1, without line ends; empty ones are left out. */
export async function* linesOf(path: string): AsyncGenerator<[number, string]> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  let number = 0
  for await (const chunk of chunksOf(path)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      number++
      const text = line.trimEnd()
      if (text !== '') yield [number, text]
    }
  }
  if (rest.trimEnd() !== '') yield [number + 1, rest.trimEnd()]
}
