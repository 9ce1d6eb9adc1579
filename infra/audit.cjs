// `npm audit` as a gate: known weaknesses that are high or critical in what we ship end it with 1. A registry that answers no audits says
// nothing about them: that is said aloud, and ends it with 0.
'use strict'
const { spawnSync } = require('node:child_process')

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: 120_000 })
let report
try {
  report = JSON.parse(stdout)
} catch {
  report = null
}
if (!report?.metadata?.vulnerabilities) {
  console.log(
    `NOT CHECKED: this registry answers no audits (${report?.message ?? report?.error?.summary ?? 'no answer'})`,
  )
} else {
  const { high, critical } = report.metadata.vulnerabilities
  for (const [name, { severity, range }] of Object.entries(report.vulnerabilities ?? {}))
    console.log(`${severity}: ${name} ${range}`)
  console.log(`${high} high, ${critical} critical in what is shipped`)
  process.exit(high + critical > 0 ? 1 : 0)
}
