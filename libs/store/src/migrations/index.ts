import { First1763800000000 } from './1763800000000-first'
import { DeviceProtocol1763811000000 } from './1763811000000-device-protocol'
import { PolicyLife1763842600000 } from './1763842600000-policy-life'
import { PaymentsAndDisputes1763843000000 } from './1763843000000-payments-and-disputes'
import { Books1764000000500 } from './1764000000500-books'
import { Mileage1764000001000 } from './1764000001000-mileage'
import { Accruals1764000001500 } from './1764000001500-accruals'
import { Corrections1764000003000 } from './1764000003000-corrections'
import { Pilots1764000004500 } from './1764000004500-pilots'
import { Identity1764200000000 } from './1764200000000-identity'
import { SealedLocations1764300000000 } from './1764300000000-sealed-locations'
import { Forgetting1764300001000 } from './1764300001000-forgetting'
import { Budgets1764400000000 } from './1764400000000-budgets'
import { Traffic1764500000000 } from './1764500000000-traffic'
import { Posting1764600000000 } from './1764600000000-posting'
import { FewerIndexes1764600000500 } from './1764600000500-fewer-indexes'
import { CheckedBooks1764600001000 } from './1764600001000-checked-books'
import { Results1764800000000 } from './1764800000000-results'
import { QuarantineBound1764900000000 } from './1764900000000-quarantine-bound'
import { SealedPhotos1764940000000 } from './1764940000000-sealed-photos'
import { TrafficBesideTables1764940000500 } from './1764940000500-traffic-beside-tables'
import { QuarantineOfADay1764960000000 } from './1764960000000-quarantine-of-a-day'
import { PostingInPlace1764980000000 } from './1764980000000-posting-in-place'
import { ToldEvaluations1765000000000 } from './1765000000000-told-evaluations'
import { ToldShadows1765030000000 } from './1765030000000-told-shadows'

/** Every change of the schema, oldest first. What is released is never edited. */
export const MIGRATIONS = [
  First1763800000000,
  DeviceProtocol1763811000000,
  PolicyLife1763842600000,
  PaymentsAndDisputes1763843000000,
  Books1764000000500,
  Mileage1764000001000,
  Accruals1764000001500,
  Corrections1764000003000,
  Pilots1764000004500,
  Identity1764200000000,
  SealedLocations1764300000000,
  Forgetting1764300001000,
  Budgets1764400000000,
  Traffic1764500000000,
  Posting1764600000000,
  FewerIndexes1764600000500,
  CheckedBooks1764600001000,
  Results1764800000000,
  QuarantineBound1764900000000,
  SealedPhotos1764940000000,
  TrafficBesideTables1764940000500,
  QuarantineOfADay1764960000000,
  PostingInPlace1764980000000,
  ToldEvaluations1765000000000,
  ToldShadows1765030000000,
]
