export { readNetwork } from './network'
export { readTraces, type Trace } from './traces'
