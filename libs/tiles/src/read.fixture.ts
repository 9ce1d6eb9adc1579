/** As much of a Mapbox Vector Tile (2.1) as tests look at: the properties of each feature, by layer. */
export function readTile(bytes: Uint8Array): Record<string, Record<string, unknown>[]> {
  const layers: Record<string, Record<string, unknown>[]> = {}
  for (const [field, layer] of fieldsOf(bytes)) {
    if (field !== 3) continue
    const parts = fieldsOf(layer as Uint8Array)
    const text = (part: unknown) => new TextDecoder().decode(part as Uint8Array)
    const keys = parts.filter(([n]) => n === 3).map(([, part]) => text(part))
    const values = parts
      .filter(([n]) => n === 4)
      .map(([, part]) => {
        const [[kind, value]] = fieldsOf(part as Uint8Array)
        if (kind === 1) return text(value)
        return kind === 7 ? value === 1 : kind === 6 ? ((value as number) >>> 1) ^ -((value as number) & 1) : value
      })
    const name = text(parts.find(([n]) => n === 1)![1])
    layers[name] = parts
      .filter(([n]) => n === 2)
      .map(([, feature]) => {
        const packed = fieldsOf(feature as Uint8Array).find(([n]) => n === 2)?.[1] as Uint8Array | undefined
        const tags = packed ? numbersOf(packed) : []
        return Object.fromEntries(
          Array.from({ length: tags.length / 2 }, (_, i) => [keys[tags[2 * i]], values[tags[2 * i + 1]]]),
        )
      })
  }
  return layers
}

function numbersOf(bytes: Uint8Array): number[] {
  const numbers: number[] = []
  for (let at = 0; at < bytes.length;) {
    let value = 0
    let scale = 1
    for (; ; scale *= 128) {
      const byte = bytes[at++]
      value += (byte & 127) * scale
      if (byte < 128) break
    }
    numbers.push(value)
  }
  return numbers
}

function fieldsOf(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = []
  let at = 0
  const varint = () => {
    let length = 1
    while (bytes[at + length - 1] >= 128) length++
    const [value] = numbersOf(bytes.subarray(at, at + length))
    at += length
    return value
  }
  while (at < bytes.length) {
    const tag = varint()
    const [field, wire] = [tag >>> 3, tag & 7]
    if (wire === 0) fields.push([field, varint()])
    else if (wire === 1) {
      fields.push([field, new DataView(bytes.buffer, bytes.byteOffset + at).getFloat64(0, true)])
      at += 8
    } else {
      const length = varint()
      fields.push([field, bytes.subarray(at, at + length)])
      at += length
    }
  }
  return fields
}
