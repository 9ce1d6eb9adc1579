/** What a statement says by itself, on a page and on paper. Names, reasons and contacts are the city's, in the language that it wrote them in. */
export const en = {
  title: (month: string) => `Road-use statement, ${month}`,
  account: 'account',
  months: 'January February March April May June July August September October November December'.split(' '),
  weekdays: 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' '),
  ofMonth: (month: string, year: string) => `${month} ${year}`,
  ofDay: (day: number, month: string) => `${day} ${month}`,
  onWeekday: (weekday: string, date: string) => `${weekday} ${date}`,
  at: (day: string, time: string) => `${day} at ${time}`,
  journeys: (n: number, number: string) => `${number} journey${n === 1 ? '' : 's'}`,
  days: (n: number) => `${n} day${n === 1 ? '' : 's'}`,
  rate: (amount: string, per: 'mile' | 'km' | 'entry' | 'trip' | 'day') => `${amount} a ${per}`,
  hours: (sealed: string) => sealed,
  list: (items: readonly string[]) => items.join(' and '),
  sealed: {} as Readonly<Record<string, string>>,
  roadClass: (name: string) => name.replace('_', ' '),
  page: (number: number, of: number) => `Page ${number} of ${of}`,
  map: 'Road map data © OpenStreetMap contributors, available under the Open Database Licence.',

  due: 'Amount due',
  inFavour: 'Credit in your favour',
  nothingDue: 'Nothing to pay',
  dueBy: 'Due by',
  settledBy: 'Settled by',
  period: 'Period',
  daysOfMonth: (days: number, month: string) => `1 to ${days} ${month}`,
  questionsUntil: 'Questions until',
  driven: 'Driven',
  drivenIn: (distance: string, journeys: string) => `${distance} in ${journeys}`,

  what: 'What',
  amount: (currency: string) => `Amount (${currency})`,
  distance: (unit: string) => `Distance (${unit})`,
  sum: 'How the amount came about',
  charges: (journeys: string, month: string) => `Charges for ${journeys} in ${month}`,
  andOdometer: 'and what was charged by the odometer',
  limits: 'Limits',
  limitsWhat: 'what you did not pay because a limit was reached',
  adjustments: 'Adjustments',
  adjustmentsFor: (months: string) => `for ${months}`,
  rounding: 'Rounding',
  roundingWhat: (coin: string) => `once, to ${coin}, half to even`,
  favour: 'In your favour',

  corrections: 'Corrected after your questions',
  correctionsWhat: 'What these journeys had cost is taken back, and what they cost now is charged.',
  journey: 'Journey',
  was: (currency: string) => `Was (${currency})`,
  isNow: (currency: string) => `Is now (${currency})`,
  corrected: (sealed: string) => sealed,

  miles: 'Your miles',
  kilometres: 'Your kilometres',
  kind: 'Kind',
  charged: 'Charged',
  freeOf: (reason: string) => `Free: ${reason}`,
  estimatedBetween: 'of which estimated, between two positions of the device',
  estimatedUnread: 'of which estimated, without a reading of the odometer',

  odometer: 'Your odometer',
  odometerWhat: 'Opening reading, and everything between it and the closing reading.',
  closing: { read: 'read', reckoned: 'reckoned from the last reading and the journeys since', estimated: 'estimated' },
  unknown: 'not known',
  openingOdometer: 'Opening odometer',
  matched: 'Matched to roads',
  between: 'Between two positions of the device',
  offMap: 'Off the road map',
  unexplained: 'Not explained by any journey',
  replaced: 'Odometer replaced',
  closingOdometer: 'Closing odometer',
  held: (trips: number) => `Held for review: ${trips}`,
  heldWhat: 'the odometer and the roads do not agree; nothing is charged for them meanwhile',
  byOdometer: 'Charged by the odometer',
  mileage: {
    missing: 'Not explained by any journey, beyond the tolerance',
    odometer: 'By the odometer alone',
    permit: 'Time permit',
  },
  estimatedOf: (distance: string) => `${distance} of it estimated`,
  billedOf: (amount: string) => `${amount} of it on earlier statements`,

  moneyGoes: 'Where the money goes',
  jurisdiction: 'Jurisdiction',
  moneyBar: 'Money by jurisdiction',
  byRule: 'By rule',
  rule: 'Rule',
  zone: 'Zone',
  outside: 'Outside all zones',
  roadKind: 'Kind of road',
  hoursTitle: 'Hours',
  otherHours: 'Other hours',
  breakdown: 'By zone and road',
  breakdownHours: 'By zone, road and hours',
  limitsTitle: 'Limits and credits',
  saved: (amount: string) => `They saved you ${amount}.`,
  limit: 'Limit',
  times: 'Times applied',
  atLeast: (amount: string) => `at least ${amount}`,
  atMost: (amount: string) => `at most ${amount}`,
  reached: (cap: string) => `${cap} reached`,

  rates: 'Your rate changed',
  tookOver: (day: string, policy: string, replaced: string) => `On ${day} policy ${policy} took over from ${replaced}.`,
  untilThen: (sentence: string) => `Until then: ${sentence}.`,
  sinceThen: (sentence: string) => `Since then: ${sentence}.`,

  comparison: 'Compared with',
  comparisonWhat: 'What the month would have cost otherwise. Nobody is charged for it.',
  instead: 'Instead of this statement',
  this: 'This statement',
  /** From the terms that are sealed beside the English sentence. */
  reckoned: null as ((amount: string, per: 'month' | 'gallon' | 'litre', economy: string) => string) | null,

  data: 'What is held about you',
  dataBooks:
    'This statement, its lines and what was paid are kept as books are. They tell the roads by kind and zone, and when a journey began and ended, but not where.',
  dataKept: (agency: string) =>
    `Where you drove is kept apart from it, encrypted: what your devices sent for some days, and the roads some weeks after this statement is paid. Then it is destroyed, and this statement can still be checked. ${agency} tells you when.`,
  dataUntil: (days: number) =>
    `Where you drove is kept apart from it, encrypted. By the policy it is destroyed ${days} days after this statement is sealed, and what your devices sent long before; this statement can still be checked then.`,
  questions: 'If something is wrong',
  questionsWhat: (agency: string, until: string, contact: string | null) =>
    `Tell ${agency} which journey and why, until ${until}${contact ? `: ${contact}` : ''}. The amount in question is held until it is decided; a correction is a new line that names the old one.`,

  moneyWent: 'Where the money went',
  chargesByRule: 'Charges by rule',
  alsoBelow: 'Charges by rule, also in the table below',
  revenueAll: (jurisdiction: string) => `All of it is revenue of ${jurisdiction}.`,
  revenueOf: (parts: string) => `Revenue of ${parts}.`,
  chargesByDay: (most: string, day: string) => `Charges on each day, before limits; the highest are ${most} on ${day}`,

  late: 'Adjustments for earlier months',
  lateWhat:
    'These journeys reached us after their own month was closed. They are priced by what was in force on their own day.',
  allJourneys: 'Journeys',
  noJourney: (month: string) => `No journey was driven in ${month}.`,
  journeysOn: (day: string) => `Journeys on ${day}`,
  when: 'When',
  time: 'Time',
  why: 'Why',
  estimated: (distance: string) => `${distance} estimated`,
  free: (reason: string) => `free: ${reason}`,

  origin: 'What made this statement',
  policy: 'Policy',
  network: 'Road network',
  engine: 'Engine',
  distances: 'Distances',
  distancesWhat: (unit: 'mile' | 'km') =>
    `along the road, never from raw positions; kept in whole millimetres and printed in ${unit === 'mile' ? 'miles of 1.609344 km' : 'kilometres'}`,

  check: 'How to check it',
  checkLines: (currency: string) =>
    `Each line is its distance times its rate, rounded once to a millionth of ${currency}. The digits in grey are too small for a coin and count in the sum.`,
  checkSave: 'Save these from where this statement is served:',
  as: 'as',
  thisFile: 'this statement',
  policiesFile: 'the policies, as they were published',
  proofFile: 'that it is one of those sealed together',
  run: 'Run',
  runWhat: (isProven: boolean) =>
    `It needs no connection and works the whole statement out again${isProven ? ', and checks that it is one of those whose root was published' : ''}.`,
  checkPaper:
    'Each line is its distance times its rate, rounded once to a millionth. The JSON of this statement and the published policies work out to the same amount:',
  digest: 'Digest of this statement (SHA-256)',
  root: 'Published root',
  proof: (place: number, size: number) => `Proof: statement ${place} of ${size}`,
  underRoot: (place: number, size: number, root: string) =>
    `It is statement ${place} of ${size} under the published root ${root}.`,
  statement: 'Statement',
  drafted: 'drafted',
}

/** Every language says all that English says. */
export type Says = {
  readonly [Key in keyof typeof en]: (typeof en)[Key] extends string
    ? string
    : (typeof en)[Key] extends Readonly<Record<string, string>>
      ? Readonly<Record<keyof (typeof en)[Key], string>>
      : (typeof en)[Key]
}
