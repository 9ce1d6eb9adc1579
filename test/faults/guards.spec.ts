import { readFileSync } from 'node:fs'
import path from 'node:path'
import { GUARDS } from './guards'

// `npm run test:guards` takes each away; that it can is seen here, so that a guard is not lost to a change of words.
it.each(GUARDS)('$name is where it is to be taken away', ({ file, from, to }) => {
  const textOf = (name: string) => readFileSync(path.join(__dirname, '../..', name), 'utf8')
  expect(textOf(file).split(from)).toHaveLength(2)
  expect(to).not.toBe(from)
})
