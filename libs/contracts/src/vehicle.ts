import { z } from 'zod'
import type { VehicleId } from '#kernel'
import { METHODS } from './mileage'
import type { VEHICLE_CLASSES } from './roads'
import { decimalSchema, slugSchema } from './scalars'

export const PROPULSIONS = ['petrol', 'diesel', 'gas', 'hybrid', 'plug-in-hybrid', 'electric', 'hydrogen'] as const
/**
 * What a tariff may ask of a vehicle beyond its class. All of it is optional: a rule that asks for what isn't known does not
 * match. No income, no name: an income programme is a membership like any other.
 */
export const vehicleProfileSchema = z.strictObject({
  /** Maximum permissible mass. */
  weightKg: z.int().min(0).max(200_000).optional(),
  /** Fiscal horsepower, where vehicles are taxed by it. */
  fiscalPower: z.int().min(0).max(1_000).optional(),
  propulsion: z.enum(PROPULSIONS).optional(),
  /** As the register has it: `euro-6`, `crit-air-2`. */
  emissionClass: slugSchema.optional(),
  /** People on board, the driver included, where that is declared. */
  occupancy: z.int().min(1).max(200).optional(),
  programmes: z.array(slugSchema).max(50).optional(),
  /** Arm of a pilot. */
  arm: slugSchema.optional(),
  method: z.enum(METHODS).optional(),
  /** Miles per gallon: measured over time, or as rated for city and highway driving. */
  milesPerGallon: z
    .union([
      z.strictObject({ measured: decimalSchema }),
      z.strictObject({ city: decimalSchema, highway: decimalSchema }),
    ])
    .optional(),
})
export type VehicleProfile = z.infer<typeof vehicleProfileSchema>

/** What rating needs to know of a vehicle. */
export interface RatedVehicle extends VehicleProfile {
  readonly vehicle: VehicleId
  readonly vehicleClass: (typeof VEHICLE_CLASSES)[number]
}
