/** What ends a text in SQL and goes on as a statement. */
const parts = {
  open: ["'", '"', "')", "'))", '`', "\\'", "';", '$$', "$1'", '%27'],
  then: [
    ' or 1=1',
    ' union select null,null,null',
    '; drop table money.statement',
    ' and pg_sleep(60)',
    '||(select version())',
    ' or exists(select 1 from metering.account)',
    '; set role postgres',
    ' returning *',
  ],
  end: ['--', ' -- ', '/*', ';', "'", " or 'a'='a", '#', ')--'],
}
// As it is, and as what looks for it may not know it: 5,120 in all.
const shapes: ((text: string) => string)[] = [
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => text.replaceAll(' ', '/**/'),
  (text) => text.replaceAll(' ', '\t'),
  (text) => text.replaceAll(' ', '\r\n'),
  (text) => encodeURIComponent(text),
  (text) => text.replaceAll("'", '\u02bc').replaceAll('"', '\uff02'),
  (text) => `1${text}`,
]

/** The i-th of them: what comes after one another differs in everything. */
export function sqlText(i: number): string {
  const { open, then, end } = parts
  let n = i
  const next = <T>(of: readonly T[]): T => {
    const one = of[n % of.length]
    n = Math.floor(n / of.length)
    return one
  }
  const [o, t, e, shape] = [next(open), next(then), next(end), next(shapes)]
  return shape(o + t + e)
}
