import { InputError } from '#kernel'

/** A photo from a telephone, a scanned letter. */
export const EVIDENCE_BYTES_MAX = 5 * 1024 * 1024

export type EvidenceType = 'image/jpeg' | 'image/png' | 'image/webp' | 'application/pdf'

/**
 * What a file is, by its first and last bytes and never by what it is called: whoever ends where its format ends carries
 * nothing behind it (a picture that is an archive, too). Throws InputError EVIDENCE_SIZE or EVIDENCE_TYPE.
 */
export function evidenceType(bytes: Uint8Array): EvidenceType {
  if (bytes.length === 0) throw new InputError('EVIDENCE_SIZE', 'the evidence is an empty file')
  if (bytes.length > EVIDENCE_BYTES_MAX)
    throw new InputError(
      'EVIDENCE_SIZE',
      `the evidence has ${bytes.length} bytes; at most ${EVIDENCE_BYTES_MAX} are taken`,
    )
  const found = FORMATS.find(({ is }) => is(bytes))
  if (!found)
    throw new InputError('EVIDENCE_TYPE', 'the evidence is no whole JPEG, PNG or WebP picture and no PDF document')
  return found.type
}

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))
const startsWith = (bytes: Uint8Array, ...start: number[]): boolean => start.every((byte, i) => bytes[i] === byte)

const FORMATS: readonly { type: EvidenceType; is: (bytes: Uint8Array) => boolean }[] = [
  {
    // SOI, a marker, ... EOI
    type: 'image/jpeg',
    is: (b) => b.length > 4 && startsWith(b, 0xff, 0xd8, 0xff) && b.at(-2) === 0xff && b.at(-1) === 0xd9,
  },
  {
    type: 'image/png',
    is: (b) =>
      startsWith(b, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) &&
      ascii(b, 12, 16) === 'IHDR' &&
      ascii(b, b.length - 8, b.length - 4) === 'IEND',
  },
  {
    // RIFF says how long it is.
    type: 'image/webp',
    is: (b) =>
      ascii(b, 0, 4) === 'RIFF' &&
      ascii(b, 8, 12) === 'WEBP' &&
      new DataView(b.buffer, b.byteOffset).getUint32(4, true) + 8 === b.length,
  },
  {
    type: 'application/pdf',
    is: (b) => ascii(b, 0, 5) === '%PDF-' && /%%EOF\s*$/.test(ascii(b, Math.max(0, b.length - 32), b.length)),
  },
]
