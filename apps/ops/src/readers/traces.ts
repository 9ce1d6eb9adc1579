import { SaxesParser } from 'saxes'
import { InputError } from '#kernel'
import type { FixColumns } from '#map-matching'
import { chunksOf, present } from './files'
import { Column, eachRow, numberIn } from './table'

export interface Trace {
  readonly id: string
  readonly fixes: FixColumns
}

class Growing {
  private readonly at = new Column()
  private readonly lon = new Column()
  private readonly lat = new Column()
  private readonly accuracyM = new Column()
  get length(): number {
    return this.at.length
  }
  push(at: number, lon: number, lat: number, accuracyM: number): void {
    this.at.push(at)
    this.lon.push(lon)
    this.lat.push(lat)
    this.accuracyM.push(accuracyM)
  }
  done(): FixColumns {
    return {
      length: this.at.length,
      at: this.at.done(),
      lon: this.lon.done(),
      lat: this.lat.done(),
      accuracyM: Float32Array.from(this.accuracyM.done()),
    }
  }
}

/**
 * Reads traces in the order in which a file first names them: CSV with `trace_id,t,lon,lat[,accuracy]` (t in seconds, kept relative
 * where it is; accuracy in metres) or GPX (a trace for each track); both may end in `.gz`. InputError names file and line.
 */
export async function readTraces(path: string): Promise<Trace[]> {
  const found = present(path)
  const traces = new Map<string, Growing>()
  const traceOf = (id: string): Growing => {
    const known = traces.get(id)
    if (known) return known
    const fresh = new Growing()
    traces.set(id, fresh)
    return fresh
  }
  if (/\.gpx(\.gz)?$/.test(found)) await readGpx(found, traceOf)
  else
    await eachRow(
      found,
      { required: ['trace_id', 't', 'lon', 'lat'], optional: ['accuracy'] },
      (cells, line, table) => {
        const id = cells[table.at['trace_id']]?.trim()
        if (!id) throw new InputError('BROKEN_ROW', `${found}: line ${line}: expected a trace_id, found nothing`)
        const seconds = numberIn(cells, 't', line, table)
        const accuracy =
          table.at['accuracy'] < 0 || !cells[table.at['accuracy']] ? 0 : numberIn(cells, 'accuracy', line, table)
        traceOf(id).push(
          Math.round(seconds * 1000),
          numberIn(cells, 'lon', line, table),
          numberIn(cells, 'lat', line, table),
          accuracy,
        )
      },
    )
  if (traces.size === 0) throw new InputError('NO_FIXES', `${found}: no trace, not a single fix`)
  for (const [id, trace] of traces)
    if (trace.length === 0) throw new InputError('NO_FIXES', `${found}: trace ${id} has no fix`)
  return [...traces].map(([id, trace]) => ({ id, fixes: trace.done() }))
}

/** GPX 1.1 (https://www.topografix.com/GPX/1/1): trk > trkseg > trkpt[lat, lon] > time. */
async function readGpx(path: string, traceOf: (id: string) => Growing): Promise<void> {
  const parser = new SaxesParser()
  let broken: Error | null = null
  const tags: string[] = []
  let tracks = 0
  let track: Growing | null = null
  let point: { lon: number; lat: number; at: number } | null = null
  let text = ''
  const refuse = (why: string) => (broken ??= new Error(`${parser.line}: ${why}`))
  parser.on('error', (error) => (broken ??= error))
  parser.on('opentag', ({ name, attributes }) => {
    tags.push(name)
    text = ''
    if (name === 'trk') track = traceOf(String(++tracks))
    if (name === 'trkpt') point = { lon: Number(attributes['lon']), lat: Number(attributes['lat']), at: NaN }
  })
  parser.on('text', (more) => (text += more))
  parser.on('closetag', ({ name }) => {
    tags.pop()
    if (name === 'time' && point && tags[tags.length - 1] === 'trkpt') point.at = Date.parse(text.trim())
    if (name !== 'trkpt' || !point) return
    if (!Number.isFinite(point.lon) || !Number.isFinite(point.lat)) refuse('a point without lat and lon')
    else if (!Number.isFinite(point.at)) refuse('a point without a time')
    else track?.push(point.at, point.lon, point.lat, 0)
    point = null
  })
  const check = () => {
    if (broken) throw new InputError('BROKEN_FILE', `${path}: line ${broken.message}`)
  }
  const decoder = new TextDecoder('utf-8')
  for await (const chunk of chunksOf(path)) {
    parser.write(decoder.decode(chunk, { stream: true }))
    check()
  }
  parser.close()
  check()
}
