// Preloaded into a process: as it ends, it writes the packages that were loaded to the file that LOADED names.
'use strict'
const { writeFileSync } = require('fs')
process.on('exit', () => {
  const packages = Object.keys(require.cache).flatMap(
    (file) => /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1] ?? [],
  )
  writeFileSync(process.env.LOADED, JSON.stringify([...new Set(packages)].sort()))
})
