import { readFile, stat } from 'node:fs/promises'
import { type PolicyDocument } from '#contracts'
import { InputError, type Fault } from '#kernel'
import { parsePolicy } from '#policy'

/** Reads a policy document. InputError names the file; its faults have their paths. */
export async function readPolicy(file: string): Promise<PolicyDocument> {
  try {
    return parsePolicy(await readJson(file))
  } catch (error) {
    if (!(error instanceof InputError) || error.message.startsWith(file)) throw error
    throw new InputError(error.code, `${file}: ${error.message}`, error.faults)
  }
}

/** What a JSON file says. InputError names the file and, where it can be told, the place. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readText(file)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError('NOT_JSON', `${file}: not JSON: ${(error as Error).message.replace(/[\s\p{Cc}]+/gu, ' ')}`)
  }
}

export const nameOf = (policy: PolicyDocument): string =>
  `${policy.id} (${policy.name}), in force from ${policy.startsAt}${policy.endsAt ? ` to ${policy.endsAt}` : ''}`

export const faultText = (fault: Fault): string => `${fault.path}: ${fault.expected}, found ${fault.found}`

/** No document of ours is as large; what is, would fill the memory before it is found to be none. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024

/** A text file. InputError names it. */
export async function readText(file: string): Promise<string> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  if (size > TEXT_BYTES_MAX)
    throw new InputError('FILE_SIZE', `${file}: has ${size} bytes; at most ${TEXT_BYTES_MAX} are read`)
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError('NO_FILE', `${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`)
  })
}
