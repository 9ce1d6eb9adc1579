import fc from 'fast-check'
import { EVIDENCE_BYTES_MAX, evidenceType } from './evidence'

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...part].map((c) => c.charCodeAt(0)) : part)))

const PNG = bytes(
  [0x89],
  'PNG\r\n\x1a\n',
  [0, 0, 0, 13],
  'IHDR',
  Array(17).fill(0),
  [0, 0, 0, 0],
  'IEND',
  [0xae, 0x42, 0x60, 0x82],
)
const JPEG = bytes([0xff, 0xd8, 0xff, 0xe0, 0, 16], 'JFIF', [0xff, 0xd9])
const WEBP = bytes('RIFF', [12, 0, 0, 0], 'WEBPVP8 ', [0, 0, 0, 0])
const PDF = bytes('%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n')

describe('evidence', () => {
  it.each([
    ['image/png', PNG],
    ['image/jpeg', JPEG],
    ['image/webp', WEBP],
    ['application/pdf', PDF],
  ])('%s is known by its bytes, and nothing may be behind it', (type, file) => {
    expect(evidenceType(file)).toBe(type)
    expect(() => evidenceType(Uint8Array.from([...file, ...bytes('PK\x03\x04 an archive')]))).toThrow(
      'no whole JPEG, PNG or WebP',
    )
    expect(() => evidenceType(file.subarray(0, file.length - 7))).toThrow('no whole JPEG, PNG or WebP')
  })
  it('an empty file, one that is too large, and one of another kind are refused', () => {
    expect(() => evidenceType(new Uint8Array())).toThrow('empty')
    const large = new Uint8Array(EVIDENCE_BYTES_MAX + 1)
    large.set(PNG)
    expect(() => evidenceType(large)).toThrow(`at most ${EVIDENCE_BYTES_MAX}`)
    for (const text of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'PK\x03\x04', 'GIF89a', '<html>%PDF-1.7 %%EOF'])
      expect(() => evidenceType(bytes(text))).toThrow('no whole JPEG')
  })
  it('whatever bytes come: a type or one clear refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (any) => {
        try {
          evidenceType(any)
        } catch (error) {
          expect((error as Error).name).toBe('InputError')
        }
      }),
    )
  })
})
