export { batchesOf } from './batches'
export { demoCity, type OsmFeatures } from './demo-city'
export { drive, RECEIVER, routeLength, URBAN_RECEIVER, type DrivenTrip, type Receiver, type Route } from './drive'
export { Fleet, type FleetDay, type FleetTrip, type FleetVehicle } from './fleet'
