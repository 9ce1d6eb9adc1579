import { bench } from '../bench'
import { encryption } from './trust-encryption'
import { exporting } from './trust-export'
import { isolation } from './trust-isolation'

void bench('trust', 'What privacy and isolation cost.', async (b) => {
  if (!process.env.DATABASE_URL)
    process.stderr.write(
      'bench:trust: DATABASE_URL is not set: small, and on embedded databases, which no bar is about; eval "$(infra/services.sh start FOLDER)"\n',
    )
  await encryption(b)
  await isolation(b)
  await exporting(b)
})
