import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writeTable } from '#exports'
import { draftStatement, statementCsv } from '#statement'
import { octoberInput } from '../../libs/statement/src/month.fixture'

const SOFFICE = ['/usr/bin/soffice', '/usr/bin/libreoffice', '/usr/lib/libreoffice/program/soffice'].find(existsSync)
if (!SOFFICE) console.warn('SKIPPED: opening CSV in a spreadsheet needs LibreOffice (Debian: libreoffice-calc-nogui)')

/** Texts that a spreadsheet would work out, or ask another host about. */
const FORMULAS = ['=', '+', '-', '@', '\t=', '\r=', '\n=', '=+', '\uff1d', '"=', "'=", ' =', ';=', ',=', '\r\n=', 'x\r=', 'x\n='].flatMap((start) =>
  ['1+1', 'SUM(A1:A9)', 'WEBSERVICE("http://127.0.0.1/x")', "cmd|' /C calc'!A0", 'HYPERLINK("http://127.0.0.1","x")', 'DDE("soffice";"/etc/passwd";"a")'].map(
    (rest) => start + rest,
  ),
) // prettier-ignore

;(SOFFICE ? describe : describe.skip)('CSV in LibreOffice', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'roadmeter-sheets-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  /** Opens CSV files as a spreadsheet does; the sheets that it then has, as flat XML. */
  function opened(files: Record<string, string>): Record<string, string> {
    for (const [name, csv] of Object.entries(files)) writeFileSync(path.join(dir, `${name}.csv`), csv)
    const run = spawnSync(
      SOFFICE!,
      [`-env:UserInstallation=file://${dir}/profile`, '--headless', '--convert-to', 'fods', '--outdir', dir, ...Object.keys(files).map((name) => path.join(dir, `${name}.csv`))],
      { encoding: 'utf8', timeout: 120_000 },
    ) // prettier-ignore
    expect(run.status).toBe(0)
    return Object.fromEntries(
      Object.keys(files).map((name) => [name, readFileSync(path.join(dir, `${name}.fods`), 'utf8')]),
    )
  }

  it('holds no formula, whatever people are called', async () => {
    const chunks: Uint8Array[] = []
    const columns = [
      { name: 'name', type: 'string', about: 'a text' },
      { name: 'mm', type: 'integer', about: 'a number' },
    ] as const
    const rows = [FORMULAS, FORMULAS.map((_, i) => BigInt(-i))]
    await writeTable(columns, [rows], 'csv', (bytes) => void chunks.push(bytes))
    const input = octoberInput()
    const statements = FORMULAS.slice(0, 20).map((name) =>
      statementCsv(draftStatement({ ...input, vehicles: input.vehicles.map((vehicle) => ({ ...vehicle, name })) })),
    )
    const sheets = opened({
      raw: FORMULAS.map((text) => `"${text.replace(/"/g, '""')}",1`).join('\r\n'),
      exported: Buffer.concat(chunks).toString(),
      statement: statements.join(''),
    })
    // The program does work out what isn't kept from it.
    expect(sheets.raw).toMatch(/table:formula=/)
    expect(sheets.exported).not.toMatch(/table:formula=|xlink:href=/)
    expect(sheets.statement).not.toMatch(/table:formula=|xlink:href=/)
    expect(sheets.statement).toContain('WEBSERVICE')
  }, 180_000)
})
