import type { Role } from '#contracts'

const WRITING = [
  ['/agency', 'dashboard'],
  ['/agency/policies', 'policies'],
] as const
const RESULTS = [
  ['/analyst', 'results'],
  ['/analyst/pilot', 'pilot'],
  ['/analyst/roads', 'roads'],
  ['/analyst/exports', 'exports'],
] as const
const CHECKING = [
  ['/agency/reviews', 'reviews'],
  ['/agency/books', 'books'],
] as const
const OFFICE = [...WRITING, ['/agency/disputes', 'disputes'], ...CHECKING, ...RESULTS] as const

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
  agency: OFFICE,
  operator: OFFICE,
  editor: WRITING,
  approver: WRITING,
  analyst: RESULTS,
  auditor: [...WRITING, ...CHECKING],
} as const satisfies Record<Role, readonly (readonly [string, string])[]>
