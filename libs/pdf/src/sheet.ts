import PDFDocument from 'pdfkit'
import { openFace, type Face } from './face'

const FONTS = '@expo-google-fonts/noto-sans'
const FACES = {
  plain: openFace(require.resolve(`${FONTS}/400Regular/NotoSans_400Regular.ttf`)),
  strong: openFace(require.resolve(`${FONTS}/600SemiBold/NotoSans_600SemiBold.ttf`)),
} satisfies Record<string, Face>
type FaceName = keyof typeof FACES

export const INK = '#15212b'
export const SOFT = '#54616d'
export const ACCENT = '#0a5a78'
const LINE = '#d8dfe5'
/** The colours of the page's bars, for ink on paper. */
export const COLOURS = ['#0a5a78', '#d27d1d', '#5c8a3c', '#8b549f', '#c0485c', '#7c8894']

const MARGIN = 48
const BOTTOM = 56
/** Between facts that stand side by side, and the size that they are set in, in points. */
const GAP_MIN = 14
const FACT_SIZE = 11.5

export interface Style {
  readonly face?: FaceName
  readonly size?: number
  readonly colour?: string
}

/** A piece of text in a cell, one under the other. */
export interface Piece extends Style {
  readonly text: string
}
export type CellText = readonly Piece[]

export interface TableRow {
  readonly cells: readonly CellText[]
  readonly isTotal?: boolean
  /** Not parted from the row before by a line or a page. */
  readonly follows?: boolean
}

type Element = PDFKit.PDFStructureElement & { dictionary: { data: Record<string, unknown> } }

/**
 * An A4 document that is written from top to bottom and tagged as it is written (PDF/UA-1, ISO 14289-1): headings, paragraphs, tables with
 * their header cells, figures with words for them; page numbers are artifacts.
 */
export class Sheet {
  private readonly doc: PDFKit.PDFDocument
  private readonly root: Element
  private readonly scopes = new Map<string, unknown>()
  private readonly chunks: Buffer[] = []
  private readonly finished: Promise<Buffer>
  private y = MARGIN
  readonly width: number

  constructor(info: {
    readonly title: string
    readonly author: string
    readonly madeAt: Date
    readonly language: string
  }) {
    this.doc = new PDFDocument({
      size: 'A4',
      margin: 0,
      lang: info.language,
      tagged: true,
      pdfVersion: '1.7',
      subset: 'PDF/UA' as never,
      displayTitle: true,
      bufferPages: true,
      // No font but ours is embedded.
      font: null as never,
      info: {
        Title: info.title,
        Author: info.author,
        Producer: 'Roadmeter',
        Creator: 'Roadmeter',
        CreationDate: info.madeAt,
      },
    })
    for (const [name, face] of Object.entries(FACES)) this.doc.registerFont(name, face.source)
    this.finished = new Promise((resolve, reject) => {
      this.doc.on('data', (chunk: Buffer) => this.chunks.push(chunk))
      this.doc.on('end', () => resolve(Buffer.concat(this.chunks)))
      this.doc.on('error', reject)
    })
    this.width = this.doc.page.width - 2 * MARGIN
    this.root = this.doc.struct('Document') as Element
    this.doc.addStructure(this.root)
  }

  /** Begins a new page unless `height` is left on this one. */
  room(height: number): void {
    if (this.y + height <= this.doc.page.height - BOTTOM) return
    this.doc.addPage()
    this.y = MARGIN
  }

  gap(points: number): void {
    this.y += points
  }

  heading(text: string, level: 1 | 2, { size = level === 1 ? 18 : 11.5, colour = INK }: Style = {}): void {
    // A heading is not left alone at the foot of a page.
    this.room(size * 1.4 + 48)
    this.tagged(level === 1 ? 'H1' : 'H2', () => this.draw(text, MARGIN, this.y, { face: 'strong', size, colour }))
    this.y += size * 1.5
  }

  paragraph(text: string, style: Style = {}): void {
    const high = (style.size ?? 9) * 1.45
    const lines = this.wrapped(text, this.width, style)
    this.room(Math.min(lines.length, 3) * high)
    // A paragraph over two pages is two: a tag belongs to one page's content.
    for (let from = 0, to: number; from < lines.length; from = to) {
      this.room(high)
      const fits = Math.floor((this.doc.page.height - BOTTOM - this.y) / high + 1e-9)
      to = Math.min(lines.length, from + Math.max(1, fits))
      this.tagged('P', () => {
        for (const [i, line] of lines.slice(from, to).entries())
          this.draw(i < to - from - 1 ? `${line} ` : line, MARGIN, this.y + i * high, style)
      })
      this.y += (to - from) * high
    }
  }

  /** Side by side, each as wide as it needs: a label above what it is about, set smaller where all would not fit. */
  facts(facts: readonly { readonly label: string; readonly value: string; readonly size?: number }[]): void {
    const height = 48
    this.room(height + 12)
    const labelStyle = { size: 8.5, colour: SOFT }
    const widths = facts.map(({ label, value, size = FACT_SIZE }) =>
      Math.max(this.widthOf(label, labelStyle), this.widthOf(value, { face: 'strong', size })),
    )
    const gap = (this.width - widths.reduce((a, b) => a + b, 0)) / (facts.length - 1 || 1)
    const fit =
      gap >= GAP_MIN ? 1 : (this.width - GAP_MIN * (facts.length - 1)) / (this.width - gap * (facts.length - 1))
    let x = MARGIN
    for (const [i, { label, value, size: asked = FACT_SIZE }] of facts.entries()) {
      const size = asked * fit
      this.tagged('P', () => {
        this.draw(`${label} `, x, this.y, { ...labelStyle, size: labelStyle.size * fit })
        this.draw(value, x, this.y + 14 + (22 - size) * 0.5, { face: 'strong', size })
      })
      x += widths[i] * fit + Math.max(gap, GAP_MIN)
    }
    this.y += height
  }

  /** Parts of a whole as one bar, with words for those who can't see it. */
  bar(parts: readonly { readonly share: number; readonly colour: string }[], alt: string): void {
    this.room(20)
    const figure = this.doc.struct('Figure', { alt }, () => {
      let x = MARGIN
      for (const { share, colour } of parts) {
        this.doc.rect(x, this.y, share * this.width, 10).fill(colour)
        x += share * this.width
      }
    }) as Element
    const [top, height] = [this.doc.page.height - this.y, 10]
    const box = { O: 'Layout', Placement: 'Block', BBox: [MARGIN, top - height, MARGIN + this.width, top] }
    const place = this.doc.ref(box)
    place.end('')
    figure.dictionary.data.A = place
    this.root.add(figure)
    figure.end()
    this.y += 20
  }

  /** `widths` are shares of the width; the first column is words, and so are `words` more; the others are numbers, flush right. */
  table(columns: readonly string[], widths: readonly number[], rows: readonly TableRow[], words = 1): void {
    const table = this.doc.struct('Table')
    this.root.add(table)
    const lefts = widths.map((_, i) => MARGIN + widths.slice(0, i).reduce((a, b) => a + b, 0) * this.width)
    const cell = (pieces: CellText, i: number, total: boolean) => {
      let y = this.y + 3
      const lines = pieces.flatMap((piece) => {
        const style: Style = total ? { ...piece, face: 'strong' } : piece
        return this.wrapped(piece.text, widths[i] * this.width - 8, style).map((text) => ({ text, style }))
      })
      for (const [place, { text, style }] of lines.entries()) {
        const x = i < words ? lefts[i] : lefts[i] + widths[i] * this.width - this.widthOf(text, style)
        // Read aloud, what stands one under the other is one sentence: the space parts its words.
        this.draw(place < lines.length - 1 ? `${text} ` : text, x, y, style)
        y += (style.size ?? 9) * 1.35
      }
    }
    const row = (cells: readonly CellText[], head: boolean, total: boolean, height: number) => {
      const element = this.doc.struct('TR')
      table.add(element)
      for (const [i, pieces] of cells.entries()) {
        const isHead = head || (i === 0 && pieces.length > 0)
        const tag = this.doc.struct(isHead ? 'TH' : 'TD', {}, () => cell(pieces, i, total)) as Element
        if (isHead) tag.dictionary.data.A = this.scope(head ? 'Column' : 'Row')
        element.add(tag)
        tag.end()
      }
      element.end()
      this.y += height
    }
    const heightOf = (cells: readonly CellText[], total = false) =>
      6 +
      Math.max(
        ...cells.map((pieces, i) =>
          pieces.reduce(
            (sum, piece) =>
              sum +
              (piece.size ?? 9) *
                1.35 *
                this.wrapped(piece.text, widths[i] * this.width - 8, total ? { ...piece, face: 'strong' } : piece)
                  .length,
            0,
          ),
        ),
      )
    const head = columns.map((text): CellText => [{ text, size: 8, colour: SOFT }])
    this.room(heightOf(head) + 30)
    row(head, true, false, heightOf(head))
    this.rule()
    for (const { cells, isTotal = false, follows = false } of rows) {
      const height = heightOf(cells, isTotal)
      const pages = this.doc.bufferedPageRange().count
      this.room(height)
      if (this.doc.bufferedPageRange().count > pages) {
        // Said once; on the pages after it is there for the eye.
        this.artifact(() => head.forEach((pieces, i) => cell(pieces, i, false)))
        this.y += heightOf(head)
        this.rule()
      } else if (!follows && this.y > 0) this.rule()
      row(cells, false, isTotal, height)
    }
    table.end()
    this.y += 6
  }

  /** Numbers the pages, as `numbered` says it, and returns the document's bytes. */
  async end(footer: string, numbered: (page: number, of: number) => string): Promise<Uint8Array> {
    this.root.end()
    const { count } = this.doc.bufferedPageRange()
    for (let page = 0; page < count; page++) {
      this.doc.switchToPage(page)
      this.artifact(() => {
        const y = this.doc.page.height - 36
        const style = { size: 7.5, colour: SOFT }
        this.draw(footer, MARGIN, y, style)
        const number = numbered(page + 1, count)
        this.draw(number, MARGIN + this.width - this.widthOf(number, style), y, style)
      })
    }
    this.doc.end()
    return this.finished
  }

  private rule(): void {
    this.artifact(() =>
      this.doc
        .moveTo(MARGIN, this.y)
        .lineTo(MARGIN + this.width, this.y)
        .lineWidth(0.5)
        .stroke(LINE),
    )
  }

  private artifact(draw: () => void): void {
    this.doc.markContent('Artifact', { type: 'Layout' })
    draw()
    this.doc.endMarkedContent()
  }

  private tagged(type: string, draw: () => void): void {
    const element = this.doc.struct(type, {}, draw)
    this.root.add(element)
    element.end()
  }

  private scope(name: 'Column' | 'Row'): unknown {
    let known = this.scopes.get(name)
    if (!known) {
      const reference = this.doc.ref({ O: 'Table', Scope: name })
      reference.end('')
      this.scopes.set(name, (known = reference))
    }
    return known
  }

  private draw(text: string, x: number, y: number, { face = 'plain', size = 9, colour = INK }: Style): void {
    this.doc.font(face).fontSize(size).fillColor(colour).text(text, x, y, { lineBreak: false })
  }

  private widthOf = (text: string, { face = 'plain', size = 9 }: Style): number => FACES[face].widthOf(text, size)

  /** Lines no wider than `width`; a word that is wider is cut. */
  private wrapped(text: string, width: number, style: Style): string[] {
    if (this.widthOf(text, style) <= width) return [text]
    const lines: string[] = []
    let line = ''
    for (const word of text.split(/\s+/)) {
      const longer = line ? `${line} ${word}` : word
      if (this.widthOf(longer, style) <= width) {
        line = longer
        continue
      }
      if (line) lines.push(line)
      line = word
      while (this.widthOf(line, style) > width && line.length > 1) {
        let fits = line.length - 1
        while (fits > 1 && this.widthOf(line.slice(0, fits), style) > width) fits--
        lines.push(line.slice(0, fits))
        line = line.slice(fits)
      }
    }
    return [...lines, line]
  }
}
