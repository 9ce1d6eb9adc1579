#!/usr/bin/env node
// The `roadmeter` command inside a checkout: brings the build up to date, then becomes it, in the same process, so that
// signals and the exit status need nobody to pass them on.
'use strict'
require('../../../infra/ready.cjs').ready(true)
require('../../../dist/apps/ops/src/main.js')
