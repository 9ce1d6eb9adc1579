import type { Words } from '../../shared/words/says'
import { type en } from './en'

export const es: Words<typeof en> = {
  overview: {
    title: 'Resumen',
  },
}
