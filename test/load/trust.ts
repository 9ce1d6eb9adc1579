import { bench } from '../bench'
import { encryption } from './trust-encryption'

void bench('trust', 'What privacy and isolation cost.', async (b) => {
  await encryption(b)
})
