/** As much of fontkit as is used here; it comes without types. */
declare module 'fontkit' {
  export interface Glyph {
    readonly id: number
    readonly advanceWidth: number
  }
  export interface Font {
    readonly unitsPerEm: number
    glyphForCodePoint(codePoint: number): Glyph
  }
  export function create(bytes: Uint8Array): Font
}
