import './sha256'

export * from './clock'
export * from './key-ring'
export * from './keys'
export * from './log'
export * from './metrics'
export * from './settings'
export * from './start'
