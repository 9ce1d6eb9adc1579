import { hash } from 'node:crypto'
import { lendSha256 } from '#kernel'

// Whatever runs on Node takes its SHA-256: ledger and statements are mostly hashing.
lendSha256((content) => hash('sha256', content, 'hex'))
