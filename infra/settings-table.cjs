// The README's table of settings, made from the one table of settings: `npm run docs:settings`.
'use strict'
const fs = require('node:fs')
const path = require('node:path')

const README = path.resolve(__dirname, '../README.md')
const BETWEEN_MARKERS = /(?<=<!-- settings -->\n).*?(?=<!-- \/settings -->)/s

const shown = (value) => (value === '' ? 'empty' : `\`${value}\``)

/** Markdown, one row for each setting in the order of `SETTINGS` (libs/runtime). */
const settingsTable = (settings) =>
  [
    '| variable | default | bounds | meaning |',
    '|---|---|---|---|',
    ...Object.values(settings).map((s) => `| \`${s.env}\` | ${shown(s.fallback)} | ${s.bounds} | ${s.meaning} |`),
    '',
  ].join('\n')

module.exports = { settingsTable, BETWEEN_MARKERS, README }

if (require.main === module) {
  const text = fs.readFileSync(README, 'utf8')
  if (!BETWEEN_MARKERS.test(text)) {
    console.error(`${README} has no lines <!-- settings --> and <!-- /settings --> to put the table between.`)
    process.exit(2)
  }
  const { SETTINGS } = require('../dist/libs/runtime/src/index.js')
  fs.writeFileSync(
    README,
    text.replace(BETWEEN_MARKERS, () => settingsTable(SETTINGS)),
  )
}
