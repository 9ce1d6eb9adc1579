import fc from 'fast-check'
import { dataPackage, wkb, writeTable, type Batch, type Column } from '#exports'

const COLUMNS: Column[] = [
  { name: 'name', type: 'string', about: 'a text' },
  { name: 'mm', type: 'integer', about: 'a number' },
  { name: 'share', type: 'number', about: 'a share', nullable: true },
]
const written = async (batches: Batch[], format: 'csv' | 'parquet' | 'geoparquet', columns = COLUMNS) => {
  const parts: Uint8Array[] = []
  const facts = await writeTable(columns, batches, format, (bytes) => void parts.push(bytes))
  return { ...facts, file: Buffer.concat(parts) }
}
/** RFC 4180, read by hand: enough for what is written here. */
const cellsOf = (csv: string): string[][] => {
  const rows: string[][] = [[]]
  const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n|$)/g
  for (let match = cell.exec(csv); match && match.index < csv.length; match = cell.exec(csv)) {
    rows.at(-1)!.push(match[1].startsWith('"') ? match[1].slice(1, -1).replaceAll('""', '"') : match[1])
    if (match[2] === '\r\n') rows.push([])
  }
  return rows.slice(0, -1)
}

describe('CSV', () => {
  it('holds every text as it is, but for what a spreadsheet would run', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string(), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })), { minLength: 1 }),
        async (rows) => {
          const { file, rows: count } = await written(
            [[rows.map(([name]) => name), rows.map(([, mm]) => mm), rows.map(() => null)]],
            'csv',
          )
          const [header, ...cells] = cellsOf(String(file))
          expect(header).toEqual(['name', 'mm', 'share'])
          expect(count).toBe(rows.length)
          cells.forEach(([name, mm, share], i) => {
            const isFormula = /^[=+\-@\t\r\n]/.test(rows[i][0])
            expect(name).toBe(isFormula ? `'${rows[i][0]}` : rows[i][0])
            // Numbers are ours: a negative one is no formula.
            expect([mm, share]).toEqual([String(rows[i][1]), ''])
          })
        },
      ),
      { numRuns: 60 },
    )
  })
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '＝1', '＋1', '－1', '＠1', '=cmd|" /C calc"!A0'])(
    'neutralises %j',
    async (text) => {
      const { file } = await written([[[text], [1n], [0.5]]], 'csv')
      expect(cellsOf(String(file))[1][0]).toBe(`'${text}`)
    },
  )
  it('has its header where there is no row', async () => {
    expect(String((await written([], 'csv')).file)).toBe('name,mm,share\r\n')
  })
})

describe('Parquet', () => {
  it('is the same bytes for the same batches, and leaves geometries to GeoParquet', async () => {
    const columns: Column[] = [...COLUMNS, { name: 'geometry', type: 'geometry', about: 'a line' }]
    const line = {
      type: 'LineString',
      coordinates: [
        [7, 45],
        [7.1, 45.2],
      ],
    } as const
    const batch: Batch = [['a', 'b'], BigInt64Array.of(1n, 2n), [0.5, null], [line, null]]
    const [plain, again, geo] = [
      await written([batch], 'parquet', columns),
      await written([batch], 'parquet', columns),
      await written([batch], 'geoparquet', columns),
    ]
    expect(plain.sha256).toBe(again.sha256)
    expect([plain.rows, plain.bytes]).toEqual([2, plain.file.length])
    expect(String(plain.file.subarray(0, 4)) + String(plain.file.subarray(-4))).toBe('PAR1PAR1')
    expect(plain.file.includes('geometry')).toBe(false)
    expect(geo.file.includes('"bbox":[7,45,7.1,45.2]')).toBe(true)
  })
})

describe('well-known binary', () => {
  it('is what the standard says', () => {
    const hex = Buffer.from(
      wkb({
        type: 'LineString',
        coordinates: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toString('hex')
    expect(hex).toBe('010200000002000000000000000000f03f000000000000004000000000000008400000000000001040')
    const ring = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ]
    const many = Buffer.from(wkb({ type: 'MultiPolygon', coordinates: [[ring], [ring]] }))
    const one = Buffer.from(wkb({ type: 'Polygon', coordinates: [ring] }))
    expect(many.subarray(0, 9).toString('hex')).toBe('010600000002000000')
    expect(many.subarray(9).equals(Buffer.concat([one, one]))).toBe(true)
  })
})

describe('a data package', () => {
  it('describes each column that the file has', () => {
    const columns: Column[] = [...COLUMNS, { name: 'geometry', type: 'geometry', about: 'a line' }]
    const described = (format: 'csv' | 'geoparquet') =>
      dataPackage({
        ...{ name: 'trips', title: 'Trips', about: 'Trips.', columns, key: ['name'], format },
        ...{
          attribution: format === 'csv' ? null : '© OpenStreetMap contributors',
          facts: {},
          createdAt: '2026-11-01T00:00:00Z',
        },
        written: { rows: 2, bytes: 10, sha256: 'ab' },
      })
    const [csv, geo] = [described('csv'), described('geoparquet')]
    expect(csv.resources[0].schema.fields.map(({ name, type }) => [name, type])).toEqual([
      ['name', 'string'],
      ['mm', 'integer'],
      ['share', 'number'],
    ])
    expect(csv.resources[0]).toMatchObject({
      path: 'trips.csv',
      hash: 'sha256:ab',
      dialect: { lineTerminator: '\r\n' },
    })
    expect(geo.resources[0].schema.fields.length).toBe(4)
    expect([csv.licenses[0].name, geo.licenses[0].name]).toEqual(['CC-BY-4.0', 'ODbL-1.0'])
    expect(geo).toMatchObject({ sources: [{ title: '© OpenStreetMap contributors' }] })
  })
})
