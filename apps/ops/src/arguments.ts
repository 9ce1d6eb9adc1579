import { InvalidArgumentError } from 'commander'
import { deviceIdSchema, monthSchema } from '#contracts'
import { instant, type AccountId, type AgencyId, type DeviceId, type Instant, type VehicleId } from '#kernel'

/** Readers of what stands on the command line; commander says which argument it was. */
const id =
  <T extends string>() =>
  (text: string): T => {
    if (!/^[a-z0-9][a-z0-9-]{2,39}$/.test(text)) throw new InvalidArgumentError('expected 3 to 40 of a-z, 0-9 and -')
    return text as T
  }
export const agencyId = id<AgencyId>()
export const accountId = id<AccountId>()
export const vehicleId = id<VehicleId>()
export const personId = id<string>()

export function deviceId(text: string): DeviceId {
  const parsed = deviceIdSchema.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0].message)
  return parsed.data
}

export function month(text: string): string {
  const parsed = monthSchema.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0].message)
  return parsed.data
}

/** A day (its beginning in UTC) or a moment with its offset. */
export function moment(text: string): Instant {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? Date.parse(text)
    : /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(text)
      ? Date.parse(text)
      : NaN
  if (!Number.isFinite(at)) throw new InvalidArgumentError('expected 2026-01-05 or 2026-01-05T08:00:00+01:00')
  return instant(at)
}

export function wholeDays(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 366) throw new InvalidArgumentError('expected whole days, 0 to 366')
  return Number(text)
}

/** Parts by name: `control=1,treated=1`. */
export function arms(text: string): Record<string, number> {
  const parts = text.split(',').map((part) => /^([a-z0-9][a-z0-9-]{0,59})=([1-9]\d{0,5})$/.exec(part))
  if (parts.length < 2 || parts.some((part) => !part)) throw new InvalidArgumentError('expected control=1,treated=1')
  return Object.fromEntries(parts.map((part) => [part![1], Number(part![2])]))
}
