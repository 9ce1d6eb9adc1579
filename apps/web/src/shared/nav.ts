import type { Role } from '#contracts'

/** The ways through each room, with the key of their name under `nav` in the shared words. */
export const NAV = {
  citizen: [
    ['/my', 'overview'],
    ['/my/statements', 'statements'],
    ['/my/trips', 'trips'],
    ['/my/pay', 'pay'],
    ['/my/vehicles', 'vehicles'],
    ['/my/quote', 'quote'],
    ['/my/disputes', 'disputes'],
    ['/my/privacy', 'privacy'],
  ],
  agency: [],
  operator: [],
  editor: [],
  approver: [],
  analyst: [],
  auditor: [],
} as const satisfies Record<Role, readonly (readonly [string, string])[]>
