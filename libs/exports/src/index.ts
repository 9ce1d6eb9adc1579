export { dataPackage, type DataPackage, type PackagedTable } from './package'
export {
  FORMATS,
  extensionOf,
  writeTable,
  type Batch,
  type Column,
  type Format,
  type Sink,
  type Written,
} from './table'
export { wkb, type Geometry } from './wkb'
