import { promises as fs, readFileSync } from 'node:fs'
import { writeCharges } from '#pipeline'
import { KeyRing, readSettings } from '#runtime'
import { dataSourceOptions, openDataSource, Store, Vault } from '#store'
import { type AgencyId } from '#kernel'
import { elapsedMs } from '../bench'

// The export of bench:trust in a process of its own, as an operator runs it: what it holds in memory is its own alone.

export interface ExportOrder {
  readonly agency: AgencyId
  readonly month: string
  readonly file: string
  readonly environment: Record<string, string>
}
export interface ExportResult {
  readonly ms: number
  readonly rows: number
  readonly amountMicros: string
  /** The most that the process ever held. */
  readonly peakMb: number
}

async function main({ agency, month, file, environment }: ExportOrder): Promise<ExportResult> {
  const settings = readSettings(environment)
  const source = await openDataSource(await dataSourceOptions(settings), false)
  const store = new Store(source, new Vault(new KeyRing(settings)))
  const out = await fs.open(file, 'w')
  let written!: Awaited<ReturnType<typeof writeCharges>>
  const ms = await elapsedMs(async () => {
    written = await writeCharges(store, agency, month, 'parquet', async (bytes) => void (await out.write(bytes)))
  })
  await out.close()
  await source.destroy()
  const peakKb = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1])
  return { ms, rows: written.rows, amountMicros: String(written.amountMicros), peakMb: peakKb / 1024 }
}

process.once(
  'message',
  (order: ExportOrder) => void main(order).then((result) => process.send!(result, () => process.exit())),
)
