export { draftStatement, isAdjustment, statementDigest } from './draft'
export type { BilledCredit, BilledTrip, StatementInput } from './draft'
export { FAULTS_MAX, verifyStatement } from './verify'
