import { type AccountId, type AgencyId, type Digest, type Instant } from '#kernel'
import { tokenDigest } from './devices'
import { type Tx } from './store'

export const ROLES = ['citizen', 'agency', 'analyst', 'auditor', 'operator', 'editor', 'approver'] as const
export type Role = (typeof ROLES)[number]

/** Who signs in, and for whose data. */
export interface Principal {
  readonly role: Role
  readonly agency: AgencyId
  /** A citizen's; null for everybody else. */
  readonly account: AccountId | null
  /** Which editor or approver it is: four eyes are two persons, not two tokens. */
  readonly person?: string | null
}

/** How somebody has signed in. */
export interface SignedIn extends Principal {
  /** As a record names whoever acted: `demo smith`, `token 1a2b3c4d`. Tells nothing that opens a door. */
  readonly by: string
  /** As the provider's people or the token are called; null where nobody said. */
  readonly name: string | null
  /** What a token is limited to: null is all that the role may. */
  readonly scopes: readonly string[] | null
  /** Of a session; null for a token, which is shown again with every request. */
  readonly session: {
    readonly id: Digest
    readonly beganAt: Instant
    /** When the person last proved to be it. */
    readonly provedAt: Instant
    readonly seenAt: Instant
  } | null
}

const PRINCIPAL = 'role, agency, account, person'

/** How long a session lasts without and with use. */
export interface SessionSpan {
  readonly idleMs: number
  readonly spanMs: number
}
/** A session that is used is noted as seen at most this often. */
const SEEN_MS = 60_000
/** Sessions of one person at a time; the oldest goes first. */
const SESSIONS_MAX = 20
/** A sign-in that was begun must come back within this time. */
const SIGN_IN_MS_MAX = 600_000
/** Sign-ins begun and not come back yet, of everybody: whoever floods us ends the floods of others, and no session. */
const SIGN_INS_MAX = 100_000
const SWEPT_AT_ONCE = 500

export interface TokenTerms {
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly expiresAt?: Instant
}

export const grantAccess = (tx: Tx, token: string, principal: Principal, terms: TokenTerms = {}): Promise<number> =>
  tx.run(
    `insert into metering.access_token (token_digest, role, agency, account, person, name, scopes, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7::text[], $8) on conflict do nothing`,
    [
      tokenDigest(token),
      principal.role,
      principal.agency,
      principal.account,
      principal.person ?? null,
      terms.name ?? null,
      terms.scopes ?? null,
      terms.expiresAt ?? null,
    ],
  )

const TOKEN_HOLDS = `revoked_at is null and (expires_at is null or expires_at > $2)`

/** Whom a token speaks for; null where there is none, it was revoked or it is over. */
export const bearerOf = (tx: Tx, token: string, now: Instant): Promise<SignedIn | null> =>
  tx.row<SignedIn>(
    `select ${PRINCIPAL}, name, scopes, 'token ' || left(token_digest, 8) as by, null as session
     from metering.access_token where token_digest = $1 and ${TOKEN_HOLDS}`,
    [tokenDigest(token), now],
  )

/** The same for the command line, which asks for no more than who it is. */
export const principalOf = (tx: Tx, token: string, now: Instant): Promise<Principal | null> =>
  tx.row<Principal>(`select ${PRINCIPAL} from metering.access_token where token_digest = $1 and ${TOKEN_HOLDS}`, [
    tokenDigest(token),
    now,
  ])

/** A token as it is listed: by the first digits of its digest. */
export interface TokenRow {
  readonly id: string
  readonly role: Role
  readonly name: string | null
  readonly account: AccountId | null
  readonly scopes: readonly string[] | null
  readonly expiresAt: number | null
  readonly revokedAt: number | null
}

export const tokensOf = async (tx: Tx, agency: AgencyId): Promise<TokenRow[]> =>
  (
    await tx.rows<TokenRow>(
      `select left(token_digest, 8) as id, role, name, account, scopes, expires_at as "expiresAt", revoked_at as "revokedAt"
       from metering.access_token where agency = $1 order by role, name nulls last, token_digest`,
      [agency],
    )
  ).map((row) => ({ ...row, expiresAt: numberOf(row.expiresAt), revokedAt: numberOf(row.revokedAt) }))

/** Ends the tokens of an agency whose listed id this is, with the sessions that began with them. */
export async function revokeToken(tx: Tx, agency: AgencyId, id: string, now: Instant): Promise<number> {
  await tx.run(
    `delete from identity.session where token_digest in (select token_digest from metering.access_token where agency = $1 and left(token_digest, 8) = $2)`,
    [agency, id],
  )
  return tx.run(
    `update metering.access_token set revoked_at = $3 where agency = $1 and left(token_digest, 8) = $2 and revoked_at is null`,
    [agency, id, now],
  )
}

/** A person at an identity provider. */
export interface Subject {
  readonly issuer: string
  readonly subject: string
}

/** Lets a person of the provider in, under one role: who has another one here is granted it in its place, and their sessions end. */
export async function grantSubject(
  tx: Tx,
  { issuer, subject }: Subject,
  principal: Principal & { name: string },
  now: Instant,
): Promise<void> {
  const changed = await tx.run(
    `insert into identity.subject (issuer, subject, name, role, agency, account, person, granted_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (issuer, subject) do update set name = excluded.name, role = excluded.role, agency = excluded.agency,
       account = excluded.account, person = excluded.person, granted_at = excluded.granted_at, revoked_at = null
     where (subject.name, subject.role, subject.agency, subject.account, subject.person, subject.revoked_at)
       is distinct from (excluded.name, excluded.role, excluded.agency, excluded.account, excluded.person, null)`,
    [
      issuer,
      subject,
      principal.name,
      principal.role,
      principal.agency,
      principal.account,
      principal.person ?? null,
      now,
    ],
  )
  if (changed > 0) await endSessionsOf(tx, { issuer, subject })
}

/** Whether somebody was let in, and no longer is. */
export async function revokeSubject(tx: Tx, who: Subject, agency: AgencyId, now: Instant): Promise<boolean> {
  const revoked = await tx.run(
    `update identity.subject set revoked_at = $4 where issuer = $1 and subject = $2 and agency = $3 and revoked_at is null`,
    [who.issuer, who.subject, agency, now],
  )
  if (revoked > 0) await endSessionsOf(tx, who)
  return revoked > 0
}

export const subjectsOf = (
  tx: Tx,
  issuer: string,
): Promise<{ subject: string; name: string; role: Role; agency: AgencyId }[]> =>
  tx.rows(
    `select subject, name, role, agency from identity.subject where issuer = $1 and revoked_at is null order by role, name, subject limit 200`,
    [issuer],
  )

/** What began at the provider: it comes back once, to the browser that it began in. */
export interface SignIn {
  readonly nonce: string
  readonly verifier: string
  /** A path of ours. */
  readonly returnTo: string
  /** The provider must have asked again. */
  readonly fresh: boolean
}

export async function beginSignIn(
  tx: Tx,
  { state, browser, ...signIn }: SignIn & { state: string; browser: string },
  now: Instant,
): Promise<boolean> {
  await tx.run(
    `delete from identity.sign_in where state_digest in (select state_digest from identity.sign_in where began_at < $1 limit ${SWEPT_AT_ONCE})`,
    [now - SIGN_IN_MS_MAX],
  )
  return (
    (await tx.run(
      `insert into identity.sign_in (state_digest, browser_digest, nonce, verifier, return_to, fresh, began_at)
       select $1, $2, $3, $4, $5, $6, $7 where (select count(*) from identity.sign_in) < ${SIGN_INS_MAX}`,
      [tokenDigest(state), tokenDigest(browser), signIn.nonce, signIn.verifier, signIn.returnTo, signIn.fresh, now],
    )) > 0
  )
}

/** Takes what was begun, so that it can't be taken twice; null where it wasn't, not in this browser, or too long ago. */
export const takeSignIn = (tx: Tx, state: string, browser: string, now: Instant): Promise<SignIn | null> =>
  tx.row<SignIn>(
    `delete from identity.sign_in where state_digest = $1 and browser_digest = $2 and began_at >= $3
     returning nonce, verifier, return_to as "returnTo", fresh`,
    [tokenDigest(state), tokenDigest(browser), now - SIGN_IN_MS_MAX],
  )

/**
 * Opens the session `id` (a secret of 256 bits) for a person of the provider or for a token, in place of the one that the browser
 * had: an id from before is worth nothing after. False where they were not let in.
 */
export async function beginSession(
  tx: Tx,
  id: string,
  who: Subject | { readonly token: string },
  { replaces, span }: { replaces: string | undefined; span: SessionSpan },
  now: Instant,
): Promise<boolean> {
  if (replaces) await endSession(tx, tokenDigest(replaces))
  await tx.run(
    `delete from identity.session where id_digest in
       (select id_digest from identity.session where seen_at <= $1 or began_at <= $2 limit ${SWEPT_AT_ONCE})`,
    [now - span.idleMs, now - span.spanMs],
  )
  const token = 'token' in who ? tokenDigest(who.token) : null
  const { issuer, subject } = 'token' in who ? { issuer: null, subject: null } : who
  const isLetIn =
    token === null
      ? await tx.row(`select 1 from identity.subject where issuer = $1 and subject = $2 and revoked_at is null`, [
          issuer,
          subject,
        ])
      : await tx.row(`select 1 from metering.access_token where token_digest = $1 and ${TOKEN_HOLDS}`, [token, now])
  if (!isLetIn) return false
  await tx.run(
    `delete from identity.session where id_digest in (select id_digest from identity.session
       where (issuer = $1 and subject = $2) or token_digest = $3 order by began_at desc, id_digest offset ${SESSIONS_MAX - 1})`,
    [issuer, subject, token],
  )
  await tx.run(
    `insert into identity.session (id_digest, issuer, subject, token_digest, began_at, proved_at, seen_at) values ($1, $2, $3, $4, $5, $5, $5)`,
    [tokenDigest(id), issuer, subject, token, now],
  )
  return true
}

/** Who has this session; null where it is over, or whoever had it is no longer let in. */
export async function sessionOf(tx: Tx, id: string, span: SessionSpan, now: Instant): Promise<SignedIn | null> {
  const digest = tokenDigest(id)
  const row = await tx.row<Omit<SignedIn, 'session'> & Record<'beganAt' | 'provedAt' | 'seenAt', string>>(
    `select coalesce(p.role, t.role) as role, coalesce(p.agency, t.agency) as agency, coalesce(p.account, t.account) as account,
       coalesce(p.person, t.person) as person, coalesce(p.name, t.name) as name, t.scopes,
       coalesce(p.issuer || ' ' || p.subject, 'token ' || left(t.token_digest, 8)) as by,
       s.began_at as "beganAt", s.proved_at as "provedAt", s.seen_at as "seenAt"
     from identity.session s
       left join identity.subject p on p.issuer = s.issuer and p.subject = s.subject and p.revoked_at is null
       left join metering.access_token t on t.token_digest = s.token_digest and t.revoked_at is null and (t.expires_at is null or t.expires_at > $2)
     where s.id_digest = $1 and s.seen_at > $3 and s.began_at > $4 and coalesce(p.role, t.role) is not null`,
    [digest, now, now - span.idleMs, now - span.spanMs],
  )
  if (!row) return null
  const { beganAt, provedAt, seenAt, ...who } = row
  const at = (moment: string) => Number(moment) as Instant
  return { ...who, session: { id: digest, beganAt: at(beganAt), provedAt: at(provedAt), seenAt: at(seenAt) } }
}

/** Whether it is time to note that a session is used: to read isn't to write each time. */
export const isLongUnseen = (
  { seenAt }: NonNullable<SignedIn['session']>,
  { idleMs }: SessionSpan,
  now: Instant,
): boolean => now - seenAt >= Math.min(SEEN_MS, idleMs / 4)

export const noteSeen = (tx: Tx, session: Digest, now: Instant): Promise<number> =>
  tx.run(`update identity.session set seen_at = greatest(seen_at, $2) where id_digest = $1`, [session, now])

/** Ends one session. */
export const endSession = (tx: Tx, digest: Digest): Promise<number> =>
  tx.run(`delete from identity.session where id_digest = $1`, [digest])

/** Ends every session of whoever has this one, here and in every other browser. */
export const endEverySession = (tx: Tx, digest: Digest): Promise<number> =>
  tx.run(
    `delete from identity.session s using identity.session mine
     where mine.id_digest = $1 and ((s.issuer = mine.issuer and s.subject = mine.subject) or s.token_digest = mine.token_digest)`,
    [digest],
  )

const endSessionsOf = (tx: Tx, { issuer, subject }: Subject): Promise<number> =>
  tx.run(`delete from identity.session where issuer = $1 and subject = $2`, [issuer, subject])

const numberOf = (value: unknown): number | null => (value === null ? null : Number(value))
