export {
  DECISION_DAYS,
  disputeState,
  disputeUntil,
  subjectOf,
  type DisputeState,
  type DisputeStep,
  type Subject,
} from './dispute'
export { creditsOf, creditWords, profileOf, type BilledCredit } from './credits'
export { billingTerms, draftStatement, isAdjustment, statementDigest } from './draft'
export type { BilledTrip, StatementInput } from './draft'
export { statementCsv } from './csv'
export { statementHtml, type StatementProof } from './html'
export { html, Markup } from './markup'
export { stretchesUntil, type BillFacts } from './retention'
export { outlook, type DrivenDay } from './outlook'
export { doubtsOf, type Doubt } from './sanity'
export { sectionsOf, type Row, type Section, type Table } from './sections'
export { STATEMENT_STYLE } from './style'
export { FAULTS_MAX, verifyStatement } from './verify'
export { wordsOf, type Words } from './words'
