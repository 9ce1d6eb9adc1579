import pino, { type Logger } from 'pino'
import type { Settings } from './settings'

export type Log = Logger
export const LOG = Symbol('Log')

/** JSON lines on standard error. No coordinates, plates or tokens are ever handed to it. */
export const openLog = (settings: Pick<Settings, 'logLevel'>, process: string): Log =>
  pino({ level: settings.logLevel, base: { process } }, pino.destination({ dest: 2, sync: true }))
