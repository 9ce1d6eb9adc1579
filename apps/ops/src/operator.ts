import { userInfo } from 'node:os'

/** Who works at the command line without a token: the machine's own word. */
export const operatorName = (): string => `${userInfo().username} at the command line`
