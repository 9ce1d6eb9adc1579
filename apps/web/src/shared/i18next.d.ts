import 'i18next'
import type { en as citizen } from '../citizen/words/en'
import type { en as agency } from '../agency/words/en'
import type { en as analyst } from '../analyst/words/en'
import type { en as shared } from './words/en'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'shared'
    resources: {
      shared: typeof shared
      citizen: typeof citizen
      agency: typeof agency
      analyst: typeof analyst
    }
  }
}
