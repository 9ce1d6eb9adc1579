/** Who may do what: people sign in as one of these. */
export type Role = 'citizen' | 'agency' | 'analyst' | 'operator' | 'editor' | 'approver'

/** Who is signed in (`GET /v1/me`), and how their city writes money, distances and times. */
export interface Me {
  readonly role: Role
  /** Of the person, where it is known. */
  readonly name: string | null
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
