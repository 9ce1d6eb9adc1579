import { deriveId, InputError, instant, type TripId } from '#kernel'
import {
  approveBreakGlass,
  askBreakGlass,
  breakGlassById,
  grantFor,
  logAccess,
  officersOf,
  tripById,
  type Access,
  type BreakGlass,
  type Tx,
} from '#store'
import { explainTrip, type ExplainedTrip } from './explain'
import { type Line } from './line'
import { type Acting } from './policy-office'

const WHY_MIN = 10
const WHY_MAX = 500
const HOUR_MS = 3_600_000
/** How long a trip may be looked at, once a second person agrees. */
const GRANT_MS = 4 * HOUR_MS
/** A request that nobody approved by then is asked anew. */
const REQUEST_MS = 72 * HOUR_MS

/** Somebody of an agency asks to look at where a trip went. Throws InputError NO_TRIP, or WHY where no reason is given. */
export async function askToLook(
  tx: Tx,
  { agency, person, role, now }: Acting,
  trip: TripId,
  why: string,
): Promise<BreakGlass> {
  const row = await tripById(tx, trip)
  if (!row || row.agency !== agency) throw new InputError('NO_TRIP', `there is no trip ${trip}`)
  if (why.length < WHY_MIN || why.length > WHY_MAX)
    throw new InputError('WHY', `say why in ${WHY_MIN} to ${WHY_MAX} characters: the citizen reads it`)
  const id = deriveId('break-glass', trip, person, now)
  const { account } = row
  await askBreakGlass(tx, { id, agency, account, trip, askedBy: person, why, askedAt: now })
  await logAccess(tx, {
    account,
    at: now,
    who: person,
    role,
    what: 'break-glass',
    subject: trip,
    why: `asks to look: ${why}`,
  })
  return (await breakGlassById(tx, id))!
}

/**
 * A second person, an approver, agrees: the one who asked may look for some hours. Throws InputError NO_REQUEST, FOUR_EYES for the one
 * who asked, NOT_APPROVER, or REQUEST_OLD.
 */
export async function agreeToLook(tx: Tx, { agency, person, role, now }: Acting, id: string): Promise<BreakGlass> {
  const request = await breakGlassById(tx, id)
  if (!request || request.agency !== agency) throw new InputError('NO_REQUEST', `there is no request ${id}`)
  if (request.askedBy === person) throw new InputError('FOUR_EYES', `four eyes: ${person} has asked for it`)
  if (role !== 'approver') throw new InputError('NOT_APPROVER', 'only an approver can agree to it')
  if (now - request.askedAt > REQUEST_MS) throw new InputError('REQUEST_OLD', 'the request is too old: ask again')
  if (request.until === null) {
    await approveBreakGlass(tx, id, person, now, instant(now + GRANT_MS))
    await logAccess(tx, {
      account: request.account,
      at: now,
      who: person,
      role,
      what: 'break-glass',
      subject: request.trip,
      why: `lets ${request.askedBy} look: ${request.why}`,
    })
  }
  return (await breakGlassById(tx, id))!
}

/** Who looks, and why; `person` null where nobody signed in, at the command line of whoever runs the machine. */
export interface Looking {
  readonly who: string
  readonly role: string
  readonly person: string | null
  readonly why: string
}

/**
 * Where a trip went, for somebody who isn't its citizen. Where the agency has an approver it takes a request of this person that a second
 * one agreed to; a pilot of one needs a reason alone. Either way its citizen reads of it. Throws InputError BREAK_GLASS, and as
 * `explainTrip` does.
 */
export async function lookAtTrip(tx: Tx, looking: Looking, trip: TripId, line: Line): Promise<ExplainedTrip> {
  const row = await tripById(tx, trip)
  if (!row) throw new InputError('NO_TRIP', `there is no trip ${trip}`)
  const now = line.clock.now()
  const access: Pick<Access, 'account' | 'at' | 'what' | 'subject'> = {
    account: row.account,
    at: now,
    what: 'explain',
    subject: trip,
  }
  const hasApprovers = (await officersOf(tx, row.agency)).some(({ role }) => role === 'approver')
  const { who, role, person, why } = looking
  if (hasApprovers) {
    const grant = person === null ? null : await grantFor(tx, trip, person)
    if (!grant || grant.until! <= now)
      throw new InputError(
        'BREAK_GLASS',
        `where trip ${trip} went is its citizen's: roadmeter break-glass ask ${trip} --why ..., and have an approver agree`,
      )
    await logAccess(tx, { ...access, who, role, why: grant.why })
  } else {
    if (why.length < WHY_MIN)
      throw new InputError('WHY', `say why with --why, in ${WHY_MIN} characters or more: the citizen reads it`)
    await logAccess(tx, { ...access, who, role, why })
  }
  return explainTrip(tx, trip, line)
}
