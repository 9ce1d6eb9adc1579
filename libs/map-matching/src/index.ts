export { type Traversal } from './drive'
export { FATES, type Fate, type FixColumns } from './fixes'
export { ENGINE_VERSION, Matcher, type Match } from './matcher'
export { PARAMETERS, type Parameter, type ParameterName, type Parameters } from './parameters'
