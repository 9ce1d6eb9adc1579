// Runs a bench: `node infra/bench.cjs libs/rating/bench/rating.ts [--json ...]`, as the npm scripts bench:* do. The product is built
// and measured as it ships (dist); the bench and what it takes from test/ is TypeScript, turned into JavaScript as it is read.
'use strict'
const Module = require('module')
const path = require('path')
const { readFileSync } = require('fs')

require('./ready.cjs').ready(true)
const { transformSync } = require('@swc/core')

Module._extensions['.ts'] = (module, file) => {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    filename: file,
    swcrc: false,
    sourceMaps: 'inline',
    module: { type: 'commonjs' },
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
    },
  })
  module._compile(code, file)
}
process.setSourceMapsEnabled(true)
const [bench] = process.argv.splice(2, 1)
require(path.resolve(bench))
