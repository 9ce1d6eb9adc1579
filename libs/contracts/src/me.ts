/** Who may do what: people sign in as one of these. */
export type Role = 'citizen' | 'agency' | 'analyst' | 'auditor' | 'operator' | 'editor' | 'approver'

/** Who is signed in (`GET /v1/me`), and how their city writes money, distances and times. */
export interface Me {
  readonly role: Role
  /** Of the person, where it is known. */
  readonly name: string | null
  /** Which editor or approver of policies it is; null for everybody else. */
  readonly person: string | null
  /** As a record names whoever acts: `demo smith`, `token 1a2b3c4d`. */
  readonly by: string
  /** What a token is limited to; null is all that the role may. */
  readonly scopes: readonly string[] | null
  /**
   * Null for a token. Until `freshUntil` one may decide about money and policy; after it the answer is STEP_UP, and
   * /auth/login?fresh&return=<path> asks again. Epoch milliseconds.
   */
  readonly session: { readonly beganAt: number; readonly endsAt: number; readonly freshUntil: number } | null
  /** How people sign in: at an identity provider (/auth/login), or by the link that they were handed. */
  readonly signIn: 'provider' | 'link'
  readonly agency: { readonly id: string; readonly name: string }
  /** The citizen's; others have none. */
  readonly account: { readonly id: string; readonly name: string } | null
  /** Of the policy in force, or else of the one to come; null where there is none. */
  readonly tariff: {
    readonly id: string
    readonly name: string
    readonly currency: string
    /** Smallest coin in the currency unit, such as 0.01. */
    readonly coin: string
    readonly unit: 'mile' | 'km'
    readonly timeZone: string
  } | null
}
