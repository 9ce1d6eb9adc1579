import { gzipSync } from 'node:zlib'
import { type Square } from '#tiles'

/** Whatever squares are cut from: roads, zones, miles. */
export interface TileSource {
  tile(square: Square): Uint8Array | null
}

const SOURCES_MAX = 12
const TILES_BYTES_MAX = 48 * 1024 * 1024
const EMPTY = Buffer.alloc(0)

/**
 * Tiles that were made, compressed, under the digest of what they are of, and the sources that they are cut from; both bounded, what was
 * asked for longest ago goes first. Whoever asks for a source that is being prepared waits for it and doesn't prepare it again.
 */
export class TileShelf {
  private readonly sources = new Map<string, Promise<TileSource>>()
  private readonly tiles = new Map<string, Buffer>()
  private bytes = 0

  /** A tile, gzip; empty where nothing is in it. */
  async tile(key: string, square: Square, open: () => Promise<TileSource>): Promise<Buffer> {
    const name = `${key}/${square.z}/${square.x}/${square.y}`
    const known = this.tiles.get(name)
    if (known) {
      this.tiles.delete(name)
      this.tiles.set(name, known)
      return known
    }
    const made = (await this.source(key, open)).tile(square)
    const tile = made ? gzipSync(made) : EMPTY
    this.tiles.set(name, tile)
    this.bytes += tile.length + name.length
    while (this.bytes > TILES_BYTES_MAX) {
      const [[oldest, { length }]] = this.tiles
      this.tiles.delete(oldest)
      this.bytes -= length + oldest.length
    }
    return tile
  }

  private source(key: string, open: () => Promise<TileSource>): Promise<TileSource> {
    const known = this.sources.get(key) ?? open()
    this.sources.delete(key)
    this.sources.set(key, known)
    // What failed is tried again by whoever asks next.
    known.catch(() => this.sources.delete(key))
    if (this.sources.size > SOURCES_MAX) this.sources.delete(this.sources.keys().next().value!)
    return known
  }
}
