import { type PolicyDocument, type ZoneGeometry } from './policy'

// What the pages of agencies and analysts read of the api, as JSON has it: amounts are whole micros in decimal.

/** `GET /v1/agencies/{agency}/map`: addresses of tiles have `{z}/{x}/{y}` in them. */
export interface MapView {
  /** Degrees: west, south, east, north. */
  readonly bounds: readonly [number, number, number, number]
  readonly attribution: string
  readonly zoomMax: number
  readonly tiles: { readonly roads: string; readonly zones: string | null }
}

export type MonthView =
  | { readonly month: string; readonly suppressed: true | string }
  | {
      readonly month: string
      readonly suppressed?: undefined
      readonly vehicles: number
      readonly trips: number
      readonly chargedMm: number
      readonly freeMm: number
      readonly amountMicros: string
    }

interface Distances {
  readonly vehicles: number
  readonly trips: number
}
/** `GET /v1/agencies/{agency}/dashboard`. */
export interface DashboardView {
  readonly at: number
  readonly policy: {
    readonly id: string
    readonly name: string
    readonly currency: string
    readonly unit: string
  } | null
  readonly accounts: number
  readonly vehicles: number
  readonly devices: number
  readonly lastReceivedAt: number | null
  readonly periods: readonly { readonly month: string; readonly state: string; readonly stopped: number }[]
  readonly quarantine: readonly { readonly reason: string; readonly messages: number; readonly devices: number }[]
  readonly disputes: { readonly open: number; readonly decideBy: string | null }
  readonly held: { readonly reviews: number; readonly unmatched: number }
  readonly months: readonly MonthView[]
  /** null where it would stand for fewer than ten vehicles. */
  readonly accuracy:
    | (Distances & {
        readonly matchedMm: number
        readonly inferredMm: number
        readonly offNetworkMm: number
        readonly witnessed:
          | (Distances & { readonly meteredMm: number; readonly odometerMm: number; readonly differenceMm: number })
          | null
      })
    | null
  readonly work: {
    readonly pieces: number
    readonly parked: number
    readonly oldestS: number
    readonly oldestUnclaimedS: number
  }
}

export const POLICY_STATES = [
  'draft',
  'checked',
  'backtested',
  'submitted',
  'approved',
  'returned',
  'scheduled',
  'in-force',
  'superseded',
  'ended',
] as const
export type PolicyStateView = (typeof POLICY_STATES)[number]

/** `GET /v1/agencies/{agency}/drafts`. */
export interface PolicyLineView {
  readonly policy: string
  readonly name: string
  readonly startsAt: string
  readonly state: PolicyStateView
  readonly digest: string
  /** 0 where it was filed directly. */
  readonly revision: number
}

/** `GET /v1/agencies/{agency}/drafts/{policy}`. */
export interface PolicyView {
  readonly policy: string
  readonly state: PolicyStateView
  readonly digest: string
  readonly words: readonly string[]
  readonly revisions: readonly {
    readonly revision: number
    readonly author: string
    readonly reason: string
    readonly at: number
  }[]
  readonly steps: readonly {
    readonly revision: number
    readonly step: string
    readonly person: string
    readonly reason: string
    readonly at: number
  }[]
  readonly document: PolicyDocument
}

export interface FaultView {
  readonly path: string
  readonly expected: string
  readonly found: string
}
export interface QuestionView {
  readonly path: string
  readonly question: string
}
/** `POST /v1/agencies/{agency}/drafts/{policy}/preview`. */
export interface PreviewView {
  readonly faults: readonly FaultView[]
  readonly unpublishable: readonly FaultView[]
  readonly questions: readonly QuestionView[]
  readonly words: readonly string[] | null
}

interface PriceView {
  readonly micros: string
  readonly per: string
}
/** `GET /v1/agencies/{agency}/drafts/{policy}/diff`. */
export interface DiffView {
  readonly before: string
  readonly after: string
  readonly words: readonly { readonly path: string; readonly before: string | null; readonly after: string | null }[]
  readonly reordered: boolean
  readonly prices: readonly {
    readonly rule: string
    readonly name: string
    readonly before: PriceView | null
    readonly after: PriceView | null
    readonly percent: number | null
  }[]
  readonly map: {
    readonly type: 'FeatureCollection'
    readonly features: readonly {
      readonly type: 'Feature'
      readonly geometry: ZoneGeometry
      readonly properties: {
        readonly zone: string
        readonly name: string
        readonly change: 'added' | 'removed' | 'moved' | 'repriced' | 'same'
        readonly of: 'before' | 'after' | 'both'
        readonly before: readonly string[]
        readonly after: readonly string[]
      }
    }[]
  }
  readonly money: ComparisonView | null
}

interface Change {
  readonly before: string
  readonly after: string
}
/** What a backtest came to: docs/policy.md says what each figure means. */
export interface ComparisonView {
  readonly trips: number
  readonly vehicles: number
  readonly accounts: number
  readonly distanceMm: number
  readonly revenue: Change
  readonly bills: {
    readonly more: number
    readonly less: number
    readonly same: number
    readonly changeAt: readonly { readonly percentile: number; readonly change: string }[]
    readonly largestRises: readonly (Change & { readonly accounts: number })[]
  } | null
  readonly groups: Readonly<
    Record<
      'vehicleClass' | 'programme' | 'area',
      readonly (Change & {
        readonly name: string
        readonly accounts: number
        readonly more: number
        readonly less: number
      })[]
    >
  >
  readonly cells: Readonly<
    Record<
      'zone' | 'roadClass' | 'road' | 'hour' | 'vehicleClass',
      readonly (Change & { readonly name: string; readonly vehicles: number; readonly distanceMm: number })[]
    >
  >
  readonly suppressed: number
}

/** `GET /v1/agencies/{agency}/drafts/{policy}/backtests`. */
export interface BacktestView {
  readonly id: string
  readonly revision: number
  readonly months: readonly string[]
  readonly trips: number
  readonly askedBy: string
  readonly tripsDone: number
  readonly digest: string | null
  readonly report: {
    readonly comparison: ComparisonView
    readonly gone: number
    readonly books: { readonly booked: string; readonly recomputed: string; readonly agree: boolean }
  } | null
}
/** What its `events` tell. */
export type BacktestProgressView = readonly {
  readonly id: string
  readonly trips: number
  readonly tripsDone: number
  readonly isDone: boolean
}[]

/** `GET /v1/disputes`. */
export interface DisputeView {
  readonly id: string
  readonly statement: string
  readonly trip: string
  readonly line: number | null
  readonly amountMicros: string
  readonly reason: string
  readonly state: string
  readonly openedAt: number
  readonly decideBy: string
  readonly steps: readonly {
    readonly kind: string
    readonly by: string
    readonly at: number
    readonly text: string
    readonly evidence: string | null
  }[]
}

/** `GET /v1/agencies/{agency}/reviews`: distances, no places. */
export interface HeldTripView {
  readonly trip: string
  readonly vehicle: string
  readonly month: string
  readonly meteredMm: number
  readonly odometerMm: number
  readonly rawMm: number
  readonly permille: number
  readonly hard: boolean
  readonly suspect: 'odometer' | 'matching'
}

/** `GET /v1/agencies/{agency}/traffic`. */
export interface TrafficView {
  readonly month: string
  readonly vehicles: number
  readonly segments: number
  readonly suppressed: number
}
/** `GET /v1/agencies/{agency}/traffic/{month}`. */
export interface DrivenRoadView {
  readonly name: string
  readonly class: string
  readonly segments: number
  readonly chargedMm: number
  readonly vehicles: number
}
