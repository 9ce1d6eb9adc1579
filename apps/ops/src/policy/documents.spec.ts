import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { InputError } from '#kernel'
import { readPolicy } from './documents'

describe('a policy file that is none', () => {
  const dir = mkdtempSync(join(tmpdir(), 'roadmeter-documents-'))
  afterAll(() => rmSync(dir, { recursive: true }))

  /** What is said of it: one line that a terminal can show. */
  const said = async (name: string, bytes: string | Uint8Array): Promise<string> => {
    const file = join(dir, name)
    writeFileSync(file, bytes)
    const error = await readPolicy(file).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(InputError)
    const { message } = error as InputError
    expect(message).toMatch(/^[^\p{Cc}]+$/u)
    expect(message.length).toBeLessThan(400)
    return message.replace(dir, '')
  }

  it('an archive, a bomb, a document with an archive behind it', async () => {
    const bomb = Buffer.concat([Buffer.from('PK\x03\x04\x1b[2J'), deflateRawSync(Buffer.alloc(32 * 1024 * 1024))])
    expect(await said('bomb.json', bomb)).toMatch(/^\/bomb\.json: not JSON: /)
    expect(await said('both.json', Buffer.concat([Buffer.from('{"v":1}'), bomb]))).toMatch(/^\/both\.json: not JSON: /)
  })

  it('brackets without end, and far too many of them', async () => {
    expect(await said('open.json', '['.repeat(1_000_000))).toMatch(/not JSON: /)
    expect(await said('deep.json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toMatch(
      /is not valid: \(document\): /,
    )
  })

  it('one that is larger than any document', async () => {
    const file = join(dir, 'large.json')
    writeFileSync(file, '')
    truncateSync(file, 300 * 1024 * 1024)
    await expect(readPolicy(file)).rejects.toThrow('has 314572800 bytes; at most 268435456 are read')
  })
})
