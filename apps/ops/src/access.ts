import { randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { instant, InputError, type AccountId, type AgencyId, type Instant } from '#kernel'
import { systemClock, type Settings } from '#runtime'
import {
  grantAccess,
  grantSubject,
  nameOfficer,
  revokeSubject,
  revokeToken,
  ROLES,
  tokensOf,
  type Principal,
  type Role,
  type Store,
} from '#store'
import { accountId, agencyId, personId, wholeDays } from './arguments'
import { withDatabase } from './database'
import { knownAccount, knownAgency } from './known'
import { columns, say } from './printed'

const DAY_MS = 86_400_000
/** A token without an end is forgotten, and found by somebody else. */
const TOKEN_DAYS = 90

interface Whom {
  readonly role: Role
  readonly agency: AgencyId
  readonly account?: AccountId
  readonly person?: string
  readonly name?: string
}

/** `roadmeter access`: who may sign in, and which machines may ask. */
export const accessCommand = (): Command =>
  new Command('access').addCommand(grantCommand()).addCommand(revokeCommand()).addCommand(tokenCommand())

const whomOptions = (command: Command): Command =>
  command
    .addOption(new Option('--role <role>', 'what for').choices(ROLES).makeOptionMandatory())
    .requiredOption('--agency <id>', 'for whose data', agencyId)
    .option('--account <id>', 'a citizen: whose statements', accountId)
    .option('--person <id>', 'an editor or approver of policies: who it is, 3 to 40 of a-z, 0-9 and -', personId)
    .option('--name <name>', 'what to call them')

const grantCommand = (): Command =>
  whomOptions(
    new Command('grant').description('let a person in: by the identity provider, or by a link that is printed once'),
  )
    .option('--subject <id>', 'who it is at the identity provider (its `sub`); without it a link is made')
    .addHelpText(
      'after',
      '\nFrom the first approver that an agency names, its policies are published only when somebody other than their author has\napproved them, for ever: see docs/policy.md.',
    )
    .action((whom: Whom & { subject?: string }) =>
      withDatabase(async (store, settings) => {
        const principal = await principalFor(store, whom)
        const who = `${whom.role}${whom.person ? ` ${whom.person}` : ''} of ${whom.account ?? whom.agency}`
        if (whom.subject !== undefined) {
          const issuer = issuerOf(settings)
          const named = { ...principal, name: whom.name ?? whom.person ?? whom.account ?? whom.role }
          await store.transaction((tx) =>
            grantSubject(tx, { issuer, subject: whom.subject! }, named, systemClock.now()),
          )
          say(`${who}: subject ${whom.subject} of ${issuer}`)
          return
        }
        const { publicUrl, httpHost, httpPort, oidcIssuer } = settings
        if (/^https?:/.test(oidcIssuer))
          throw new InputError(
            'SUBJECT',
            `people sign in at ${oidcIssuer} here: add --subject; for a machine, roadmeter access token add`,
          )
        const token = newToken()
        await store.transaction((tx) => grantAccess(tx, token, principal, { name: whom.name }))
        const link = `${publicUrl || `http://${httpHost}:${httpPort}`}/enter?token=${token}`
        say(`${who}\ntoken (shown this once): ${token}\nsign in: ${link}`)
      }),
    )

const revokeCommand = (): Command =>
  new Command('revoke')
    .description('let a person of the identity provider in no longer; their sessions end')
    .requiredOption('--subject <id>', 'who it is at the identity provider')
    .requiredOption('--agency <id>', 'who had let them in', agencyId)
    .action(({ subject, agency }: { subject: string; agency: AgencyId }) =>
      withDatabase(async (store, settings) => {
        const issuer = issuerOf(settings)
        const now = systemClock.now()
        if (!(await store.transaction((tx) => revokeSubject(tx, { issuer, subject }, agency, now))))
          throw new InputError('NO_SUBJECT', `${agency} has let no subject ${subject} of ${issuer} in`)
        say(`subject ${subject} is let in no longer`)
      }),
    )

const tokenCommand = (): Command =>
  new Command('token')
    .description('tokens for machines: what they may, and for how long')
    .addCommand(
      whomOptions(new Command('add').description('print a token, once'))
        .option(
          '--scopes <list>',
          'such as results:read,exports:read or *:read; the area is the word in the path; all of the role where not said',
          scopes,
        )
        .option('--days <count>', `until it ends, 1 to 366; ${TOKEN_DAYS} unless said`, wholeDays)
        .action((whom: Whom & { scopes?: readonly string[]; days?: number }) =>
          withDatabase(async (store) => {
            if (!whom.name) throw new InputError('NAME', 'say what the token is for: add --name')
            const principal = await principalFor(store, whom)
            const token = newToken()
            const expiresAt: Instant = instant(systemClock.now() + (whom.days || TOKEN_DAYS) * DAY_MS)
            const terms = { name: whom.name, scopes: whom.scopes, expiresAt }
            await store.transaction((tx) => grantAccess(tx, token, principal, terms))
            say(
              `${whom.role} of ${whom.account ?? whom.agency}, ${whom.scopes?.join(' ') ?? 'all that the role may'}, until ${new Date(expiresAt).toISOString()}\ntoken (shown this once): ${token}`,
            )
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list the tokens of an agency, links of people too')
        .requiredOption('--agency <id>', 'whose', agencyId)
        .action(({ agency }: { agency: AgencyId }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction(async (tx) => {
              await knownAgency(tx, agency)
              return tokensOf(tx, agency)
            })
            const now = systemClock.now()
            say(
              rows.length === 0
                ? '(none)'
                : columns(
                    rows.map(({ id, role, name, account, scopes: granted, expiresAt, revokedAt }) => [
                      id,
                      role,
                      account ?? '-',
                      granted?.join(' ') ?? 'all',
                      revokedAt !== null
                        ? 'revoked'
                        : expiresAt === null
                          ? 'without end'
                          : `${expiresAt <= now ? 'over since' : 'until'} ${new Date(expiresAt).toISOString()}`,
                      name ?? '-',
                    ]),
                  ),
            )
          }),
        ),
    )
    .addCommand(
      new Command('revoke')
        .description('end a token, and the sessions that began with it')
        .argument('<id>', 'as listed: the first eight digits of its digest')
        .requiredOption('--agency <id>', 'whose', agencyId)
        .action((id: string, { agency }: { agency: AgencyId }) =>
          withDatabase(async (store) => {
            if ((await store.transaction((tx) => revokeToken(tx, agency, id, systemClock.now()))) === 0)
              throw new InputError('NO_TOKEN', `${agency} has no token ${id} that holds`)
            say(`token ${id} is revoked`)
          }),
        ),
    )

/** Who is meant, checked against the registry; names an officer where it is one. */
async function principalFor(store: Store, { role, agency, account, person, name }: Whom): Promise<Principal> {
  if ((role === 'citizen') !== (account !== undefined))
    throw new InputError(
      'ACCOUNT',
      role === 'citizen' ? 'a citizen has one account: add --account' : `--account is for citizens, not ${role}`,
    )
  const office = role === 'editor' || role === 'approver' ? role : null
  if ((office !== null) !== (person !== undefined))
    throw new InputError(
      'PERSON',
      office ? `an ${role} is a person: add --person and --name` : `--person is for editors and approvers, not ${role}`,
    )
  await store.transaction((tx) => knownAgency(tx, agency))
  if (account && (await knownAccount(store, account)).agency !== agency)
    throw new InputError('NO_ACCOUNT', `account ${account} is not one of ${agency}`)
  if (office && person)
    await store.transaction((tx) =>
      nameOfficer(tx, { agency, person, role: office, name: name ?? person }, systemClock.now()),
    )
  return { role, agency, account: account ?? null, person }
}

function issuerOf({ oidcIssuer }: Settings): string {
  if (!oidcIssuer) throw new InputError('NO_ISSUER', 'name the identity provider in ROADMETER_OIDC_ISSUER')
  return oidcIssuer
}

/** 256 random bits: only their digest is stored, so this is the one time that they are shown. */
const newToken = (): string => randomBytes(32).toString('base64url')

function scopes(text: string): string[] {
  const all = text.split(',')
  if (!all.every((scope) => /^(\*|[a-z][a-z0-9-]*):(read|write)$/.test(scope)))
    throw new InvalidArgumentError('expected results:read,exports:read or *:read')
  return all
}
