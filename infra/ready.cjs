// Makes a checkout ready to run: `node infra/ready.cjs` installs what is missing, `node infra/ready.cjs build` also
// compiles to dist/. Says one line on standard error about each thing that it does, and nothing when nothing is to do.
// It runs before anything is installed and must refuse an old Node in plain words: no packages, no new syntax.
'use strict'
const { createHash } = require('crypto')
const fs = require('fs')
const path = require('path')
const { spawnSync } = require('child_process')

const ROOT = path.resolve(__dirname, '..')
const NODE_MIN = [20, 19]

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
  console.error(`Roadmeter needs Node ${NODE_MIN.join('.')} or newer, and this is Node ${process.versions.node}.`)
  process.exit(2)
}

const read = (file) => {
  try {
    return fs.readFileSync(path.join(ROOT, file), 'utf8')
  } catch {
    return ''
  }
}

/**
 * What the lock file asks for and node_modules doesn't have. Contents are compared, not dates: git sets new dates on old
 * files, and an install for nothing would pull node_modules from under a running process. Optional packages are for
 * other platforms as often as not.
 */
function isInstalled() {
  const found = read('node_modules/.package-lock.json')
  if (!found) return false
  const wanted = Object.entries(JSON.parse(read('package-lock.json')).packages)
  const installed = JSON.parse(found).packages
  return wanted.every(
    ([where, wants]) =>
      where === '' ||
      wants.optional ||
      wants.devOptional ||
      (installed[where] !== undefined && installed[where].version === wants.version),
  )
}

/** Names, dates and sizes of everything that a build reads: the same digest, the same build. */
function sourcesDigest(folders, files) {
  const hash = createHash('sha256')
  const add = (file) => {
    const { mtimeMs, size } = fs.statSync(path.join(ROOT, file))
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  const walk = (folder) => {
    if (!fs.existsSync(path.join(ROOT, folder))) return
    const entries = fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = `${folder}/${entry.name}`
      if (entry.isDirectory()) {
        if (name !== 'apps/web' && entry.name !== 'node_modules' && entry.name !== 'bench') walk(name)
      } else if (/\.(m?tsx?|json|scss|svg|html)$/.test(name) && !/\.(spec|fixture)\.ts$/.test(name)) add(name)
    }
  }
  ;['package.json', 'package-lock.json', ...files].forEach(add)
  folders.forEach(walk)
  return hash.digest('hex')
}

/** What is built, each anew only where something that it reads has changed. */
const BUILDS = [
  {
    stamp: 'dist/.built-from',
    folders: ['apps', 'libs'],
    files: ['tsconfig.json', 'infra/bundle.cjs', 'infra/verify-page.js'],
    steps: [
      ['building', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'],
      ['bundling the page that verifies', 'infra/bundle.cjs', 'verify'],
    ],
  },
  {
    stamp: 'dist/.portal-built-from',
    folders: ['apps/web', 'libs/kernel/src', 'libs/contracts/src'],
    files: ['infra/web.cjs'],
    steps: [['building the portal', 'infra/web.cjs']],
  },
]

/** Runs one step with its output kept back unless it fails; then this process ends with that status. */
function step(doing, command, args) {
  const begun = Date.now()
  process.stderr.write(`roadmeter: ${doing} ... `)
  const run = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (run.status === 0) return void process.stderr.write(`${((Date.now() - begun) / 1000).toFixed(1)} s\n`)
  process.stderr.write(`failed\n${run.stdout || ''}${run.stderr || ''}${run.error ? `${run.error.message}\n` : ''}`)
  process.exit(run.signal === 'SIGINT' ? 130 : run.status || 1)
}

function ready(build) {
  refuseOldNode()
  if (!isInstalled()) {
    // npm names its own script when it runs us; NODE_ENV=production must not leave the compiler out.
    const npm = /\.js$/.test(process.env.npm_execpath || '')
      ? [process.execPath, [process.env.npm_execpath]]
      : ['npm', []]
    step('installing packages', npm[0], [...npm[1], 'ci', '--include=dev', '--no-audit', '--no-fund'])
  }
  if (!build) return
  for (const { stamp, folders, files, steps } of BUILDS) {
    const digest = sourcesDigest(folders, files)
    if (read(stamp) === digest) continue
    for (const [doing, script, ...args] of steps) step(doing, process.execPath, [path.join(ROOT, script), ...args])
    fs.mkdirSync(path.join(ROOT, 'dist'), { recursive: true })
    fs.writeFileSync(path.join(ROOT, stamp), digest)
  }
}

module.exports = { ready, BUILDS }
if (require.main === module) ready(process.argv[2] === 'build')
