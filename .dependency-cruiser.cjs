// The import table of docs/architecture.md as data: who may import whom, through its index.ts only. Absent is forbidden.
const PURE = {
  kernel: [],
  contracts: ['kernel'],
  'road-network': ['kernel'],
  ledger: ['kernel'],
  disclosure: ['kernel'],
  fleet: ['kernel', 'contracts', 'road-network'],
  openlr: ['kernel', 'road-network'],
  'map-matching': ['kernel', 'road-network'],
  geofencing: ['kernel', 'road-network'],
  policy: ['kernel', 'contracts'],
  tiles: ['kernel', 'contracts', 'road-network'],
  evaluation: ['kernel', 'contracts', 'disclosure'],
  mileage: ['kernel', 'contracts', 'road-network', 'map-matching', 'geofencing'],
  rating: ['kernel', 'contracts', 'policy'],
  // A statement is recomputed by the very functions that priced it.
  statement: ['kernel', 'contracts', 'ledger', 'policy', 'rating'],
}
const pure = Object.keys(PURE)
const SHELL = {
  runtime: ['kernel'],
  messaging: ['kernel', 'contracts', 'runtime'],
  payments: ['kernel', 'contracts', 'runtime'],
  pdf: ['kernel', 'contracts', 'policy', 'statement'],
  exports: ['kernel'],
  store: [...pure, 'runtime'],
  pipeline: [...pure, 'exports', 'store', 'messaging', 'runtime'],
}
const line = ['kernel', 'contracts', 'pipeline', 'store', 'messaging', 'runtime']
const APPS = {
  ingest: line,
  engine: line,
  api: [...pure, 'pipeline', 'store', 'messaging', 'payments', 'pdf', 'runtime'],
  ops: [...pure, 'exports', 'pipeline', 'store', 'messaging', 'pdf', 'runtime'],
  // The pilot is all processes in one, so it takes the api as it is.
  pilot: [...pure, 'pipeline', 'store', 'messaging', 'runtime', 'apps/api'],
  web: ['kernel', 'contracts'],
}
const NPM = {
  zod: ['contracts', 'policy', 'runtime'],
  '@turf': ['geofencing', 'policy', 'tiles'],
  flatbush: ['road-network', 'geofencing', 'policy', 'tiles'],
  '@noble': ['kernel'],
  cbor2: ['contracts'],
  'geojson-vt': ['tiles'],
  'vt-pbf': ['tiles'],
  'date-holidays': ['policy'],
  'temporal-polyfill': ['policy', 'rating', 'statement'],
}

// A room of the shell has a second face, `#room/module`: what it is to Nest, so that whoever does without Nest doesn't load it.
const face = (room) =>
  `^${room.includes('/') ? room : `libs/${room}`}/src/${room in SHELL ? '(index|module)' : 'index'}\\.ts$`
const only =
  (kind) =>
  ([room, may]) => ({
    name: `${kind}/${room}-imports`,
    severity: 'error',
    // A bench measures its library from outside, with whatever makes its input.
    from: { path: `^${kind}/${room}/`, pathNot: `^libs/${room}/bench/` },
    to: { path: '^(libs|apps)/', pathNot: [`^${kind}/${room}/`, ...may.map(face)] },
  })
const confine = (packages, room) => ({
  name: `${packages}-only-in-${room}`,
  severity: 'error',
  from: { path: '^(libs|apps)/', pathNot: `^libs/${room}/` },
  to: { path: `node_modules/(${packages})/` },
})

module.exports = {
  forbidden: [
    {
      name: 'no-unresolved',
      comment:
        'a broken alias would make every other rule pass in silence; bin/roadmeter.cjs names what the build makes',
      severity: 'error',
      from: { pathNot: '^apps/ops/bin/roadmeter\\.cjs$' },
      to: { couldNotResolve: true },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: '(\\.d\\.ts|\\.cjs)$' }, to: {} },
    ...Object.entries(PURE).map(only('libs')),
    ...Object.entries(SHELL).map(only('libs')),
    ...Object.entries(APPS).map(only('apps')),
    {
      name: 'pure-is-pure',
      comment: 'domain libraries run in a browser: no node core, and npm packages only as the table grants',
      severity: 'error',
      from: { path: `^libs/(${pure.join('|')})/src/`, pathNot: '\\.spec\\.ts$' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'core', 'undetermined'],
        pathNot: `node_modules/(${Object.keys(NPM).join('|')})/`,
      },
    },
    ...Object.entries(NPM).map(([name, rooms]) => ({
      name: `${name}-only-where-granted`,
      severity: 'error',
      from: { path: `^libs/(${pure.join('|')})/src/`, pathNot: [`^libs/(${rooms.join('|')})/`, '\\.spec\\.ts$'] },
      to: { path: `node_modules/${name}/` },
    })),
    {
      name: 'nest-only-in-apps-and-module-files',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/(store|messaging|payments|runtime|pipeline)/src/[^/]+\\.module\\.ts$' },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: ['\\.spec\\.ts$', '^libs/[^/]+/bench/'] },
      to: { path: '^test/' },
    },
    {
      name: 'no-benches-in-the-product',
      comment: 'what only measures is not built',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: '^libs/[^/]+/bench/' },
      to: { path: '^libs/[^/]+/bench/' },
    },
    {
      name: 'no-dev-packages-in-the-product',
      comment: 'an image for production is pruned of them; the portal is bundled with what it needs',
      severity: 'error',
      from: { path: '^(libs|apps)/[^/]+/src/', pathNot: ['\\.spec\\.ts$', '^apps/web/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'a package that only another package brought may be gone after the next install',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    confine('typeorm|pg|@electric-sql', 'store'),
    confine('mqtt|aedes|bullmq|ioredis', 'messaging'),
    confine('stripe', 'payments'),
    confine('pdfkit|fontkit', 'pdf'),
    confine('csv-stringify|hyparquet-writer|hyparquet', 'exports'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
