export * from './health.module'
export * from './process.module'
export * from './runtime.module'
