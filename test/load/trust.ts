import { bench } from '../bench'
import { encryption } from './trust-encryption'
import { exporting } from './trust-export'
import { isolation } from './trust-isolation'

void bench('trust', 'What privacy and isolation cost.', async (b) => {
  await encryption(b)
  await isolation(b)
  await exporting(b)
})
