export { extensionOf, FORMATS, type Batch, type Column, type Format, type Sink } from './columns'
export { dataPackage, type DataPackage, type PackagedTable } from './package'
export { writeTable, type Written } from './table'
export { wkb, type Geometry } from './wkb'
