// What the api tells of released tables and exports, as JSON has it: sums are decimal strings.

export interface DatasetView {
  readonly dataset: string
  readonly title: string
  readonly about: string
  readonly dimensions: readonly { readonly name: string; readonly about: string }[]
  readonly measures: readonly {
    readonly name: string
    readonly unit: 'mm' | 'micros' | 'count'
    readonly about: string
  }[]
  readonly shape: string | null
}

export interface TableView {
  readonly fewest: number
  readonly suppressed: number
  readonly truncated: boolean
  /** By dimension and measure, too: texts, and sums in decimal. */
  readonly rows: readonly {
    readonly [column: string]: unknown
    readonly vehicles: number
    readonly mean: { readonly mean: number; readonly low: number; readonly high: number } | null
  }[]
}

export interface ExportView {
  readonly id: string
  readonly dataset: string
  readonly period: string
  readonly format: 'csv' | 'parquet' | 'geoparquet'
  readonly askedAt: number
  readonly state: 'refused' | 'done' | 'counting' | 'waiting'
  readonly refused: string | null
  readonly progress: { readonly done: number; readonly of: number } | null
  readonly rows: number | null
  readonly files: readonly string[]
}

interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}
export const COMPARED_BY = ['hour', 'zone', 'road-class', 'vehicle-class', 'programme'] as const
interface ArmChange {
  readonly arm: string
  readonly vehicles: number
  readonly change: Estimate | null
  readonly elasticity: Estimate | null
}
export interface EvaluationView {
  readonly parts: {
    readonly by: (typeof COMPARED_BY)[number]
    readonly groups: readonly { readonly group: string; readonly arms: readonly ArmChange[] }[]
    readonly withheld: number
  } | null
  readonly vehicles: number | null
  readonly result: {
    readonly comparedWith: string
    readonly withheld: number
    readonly arms: readonly (ArmChange & { readonly baselineMm: number; readonly pilotMm: number })[]
  } | null
}
