export * from './accounts'
export * from './chain'
export * from './merkle'
export * from './transfer'
