import { KeyRing } from './key-ring'
import { type Settings } from './settings'
import { TransitKeys } from './transit-keys'
import { type WrappingKeys } from './wrapping'

/** A key service where the settings name one, or else a file. */
export const wrappingKeysOf = (settings: Settings): WrappingKeys =>
  settings.keyService ? new TransitKeys(settings) : new KeyRing(settings)
