import { ByteWriter, ParquetWriter, type Writer } from 'hyparquet-writer'
import { type Batch, type Column, type Sink, type TableWriter } from './columns'
import { wkb, type Geometry } from './wkb'

/** Parquet, snappy, a row group for each batch; with a column of a geometry it is GeoParquet 1.1. */
export function parquetWriter(columns: readonly Column[], sink: Sink): TableWriter {
  const { writer, drain } = draining(sink)
  const geometries = new Geometries()
  const parquet = new ParquetWriter({
    writer,
    createdBy: 'roadmeter',
    // Bounds of row groups let readers skip some; ours lie in no order, so they would say nothing, for a seventh of the time.
    statistics: false,
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, type, nullable }) => ({
        name,
        ...PHYSICAL[type],
        repetition_type: nullable || type === 'geometry' ? ('OPTIONAL' as const) : ('REQUIRED' as const),
      })),
    ],
  })
  return {
    async batch(batch: Batch) {
      const rows = batch[0].length
      await parquet.write({
        rowGroupSize: rows,
        columnData: columns.map(({ name, type }, i) => ({
          name,
          data:
            type === 'geometry' ? geometries.encode(batch[i] as readonly (Geometry | null)[]) : (batch[i] as unknown[]),
        })),
      })
      await drain()
    },
    async end() {
      const geometry = columns.find(({ type }) => type === 'geometry')
      if (geometry) parquet.kvMetadata = [{ key: 'geo', value: JSON.stringify(geometries.metadata(geometry.name)) }]
      await parquet.finish()
      await drain()
    },
  }
}

const PHYSICAL = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT64' },
  number: { type: 'DOUBLE' },
  geometry: { type: 'BYTE_ARRAY' },
} as const

/** A writer whose buffer is handed on after every row group, and begun again. */
function draining(sink: Sink): { writer: Writer; drain: () => Promise<void> } {
  const writer = new ByteWriter(1 << 20)
  return {
    writer,
    async drain() {
      // A copy: the buffer is written over next.
      const bytes = new Uint8Array(writer.buffer, 0, writer.index).slice()
      writer.index = 0
      await sink(bytes)
    },
  }
}

/** What the metadata of GeoParquet says of all geometries, gathered as they are written. */
class Geometries {
  private readonly types = new Set<string>()
  private readonly box = [Infinity, Infinity, -Infinity, -Infinity]

  encode(geometries: readonly (Geometry | null)[]): (Uint8Array | null)[] {
    return geometries.map((geometry) => {
      if (!geometry) return null
      this.types.add(geometry.type)
      this.stretch(geometry.coordinates)
      return wkb(geometry)
    })
  }

  metadata(column: string) {
    return {
      version: '1.1.0',
      primary_column: column,
      columns: {
        [column]: {
          encoding: 'WKB',
          geometry_types: [...this.types].sort(),
          ...(this.types.size > 0 && { bbox: this.box }),
        },
      },
    }
  }

  private stretch(coordinates: unknown): void {
    if (!Array.isArray(coordinates)) return
    if (typeof coordinates[0] !== 'number') return coordinates.forEach((inner) => this.stretch(inner))
    const [x, y] = coordinates as number[]
    this.box[0] = Math.min(this.box[0], x)
    this.box[1] = Math.min(this.box[1], y)
    this.box[2] = Math.max(this.box[2], x)
    this.box[3] = Math.max(this.box[3], y)
  }
}
