export { DATASETS, datasetNamed, NONE, type Dataset, type DatasetName, type Dimension, type Measure } from './datasets'
export { contributionsOf, dayKindOf, type Calendar, type TripFacts, type TripMileage } from './facts'
export { gridCell, gridPolygon } from './grid'
export { meanInterval, wilson, type Bounds } from './intervals'
export {
  elasticityByGroup,
  elasticityOf,
  type ArmResult,
  type Driven,
  type Elasticity,
  type GroupResult,
} from './elasticity'
export { accuracyOf, type AccuracyReport, type ReferenceDrive } from './accuracy'
