/** Languages that a tariff can be said in. */
export const LANGUAGES = ['en', 'es'] as const
export type Language = (typeof LANGUAGES)[number]

/** How a tariff is said, piece by piece: numbers and names come ready to be read. */
export interface PolicyWords {
  readonly and: string
  readonly everywhere: string
  /** Single words of a policy: spans, weekdays, classes and so on; what isn't here is said as it is written. */
  readonly names: Readonly<Record<string, string>>
  cap(amount: string, per: string): string
  minimum(amount: string, per: string): string
  discount(percent: string): string
  tax(percent: string): string
  transfer(minutes: number): string
  allowance(distance: string, per: string): string
  tier(distance: string, per: string, percent: string): string
  fuelCredit(amount: string, per: string): string
  distance(size: string, unit: 'mile' | 'km'): string
  forRules(names: string): string
  inZones(names: string): string
  outside(names: string): string
  roadsOf(names: string): string
  onRoads(names: string): string
  onLand(names: string): string
  free(reason: string): string
  exempt(reason: string): string
  price(amount: string, per: 'mile' | 'km' | 'entry' | 'trip'): string
  times(factor: string, rule: string): string
  forVehicles(names: string): string
  range(what: 'weight' | 'fiscal power' | 'occupancy', from: string | null, to: string | null): string
  drivenBy(names: string): string
  emission(names: string): string
  programme(names: string): string
  arm(names: string): string
  method(names: string): string
  isMeant(now: string, then: string, of: string | null): string
  perUnit(amount: string, per: string): string
  noHoliday(last: string): string
  /** Miles by the odometer. */
  unexplained(price: string): string
  byOdometer(price: string): string
  permit(price: string): string
  ofThese(whom: string, otherwise: string | null): string
  /** What a zone is drawn by; `print` tells one shape from another. */
  shape(type: string, points: number, print: string): string
  roads(count: number, print: string): string
  segments(count: number, print: string): string
}

const en: PolicyWords = {
  and: 'and',
  everywhere: 'everywhere else, at any time',
  names: {},
  cap: (amount, per) => `at most ${amount} per vehicle and ${per}`,
  minimum: (amount, per) => `at least ${amount} per vehicle and ${per}, where anything is charged`,
  discount: (percent) => `${percent} % less`,
  tax: (percent) => `${percent} % on top`,
  transfer: (minutes) => `flat prices asked for once within ${minutes} minutes of a day`,
  allowance: (distance, per) => `the first ${distance} of a ${per} free`,
  tier: (distance, per, percent) => `above ${distance} a ${per} at ${percent} %`,
  fuelCredit: (amount, per) => `fuel tax of ${amount} a gallon given back, at most what a ${per} comes to`,
  distance: (size, unit) => `${size} ${unit === 'mile' ? 'miles' : 'km'}`,
  forRules: (names) => `for ${names}`,
  inZones: (names) => `in ${names}`,
  outside: (names) => `outside ${names}`,
  roadsOf: (names) => `on roads of ${names}`,
  onRoads: (names) => `on ${names} roads`,
  onLand: (names) => `on ${names} land`,
  free: (reason) => `free, ${reason}`,
  exempt: (reason) => `exempt, ${reason}`,
  price: (amount, per) => `${amount} per ${per}`,
  times: (factor, rule) => `${factor} times "${rule}"`,
  forVehicles: (names) => `for ${names}`,
  range: (what, from, to) =>
    `of ${what} ${[from !== null && `from ${from}`, to !== null && `below ${to}`].filter(Boolean).join(' ')}`,
  drivenBy: (names) => `driven by ${names}`,
  emission: (names) => `of emission class ${names}`,
  programme: (names) => `in programme ${names}`,
  arm: (names) => `in arm ${names}`,
  method: (names) => `by ${names}`,
  isMeant: (now, then, of) => `Is ${now} meant? ${of === null ? 'It was' : `In ${of} is`} ${then}.`,
  perUnit: (amount, per) => `${amount} a ${per}`,
  noHoliday: (last) => `Will a new version follow? No holiday is known after ${last}.`,
  unexplained: (price) => `Miles that no trip explains: ${price}`,
  byOdometer: (price) => `Miles by the odometer alone: ${price}`,
  permit: (price) => `Time permit: ${price}`,
  ofThese: (whom, otherwise) =>
    `Of these, vehicles ${whom}; others free, ${otherwise ?? 'the tariff is for other vehicles'}`,
  shape: (type, points, print) => `${type} of ${points} points (${print})`,
  roads: (count, print) => `${count} roads (${print})`,
  segments: (count, print) => `${count} segments (${print})`,
}

const es: PolicyWords = {
  and: 'y',
  everywhere: 'en cualquier otro lugar, a cualquier hora',
  names: {
    trip: 'viaje',
    day: 'día',
    month: 'mes',
    year: 'año',
    mile: 'milla',
    entry: 'entrada',
    mon: 'lun',
    tue: 'mar',
    wed: 'mié',
    thu: 'jue',
    fri: 'vie',
    sat: 'sáb',
    sun: 'dom',
    holiday: 'festivo',
    entering: 'al entrar',
    leaving: 'al salir',
    motorway: 'autopista',
    trunk: 'vía rápida',
    primary: 'vía principal',
    secondary: 'vía secundaria',
    tertiary: 'vía local',
    residential: 'calle residencial',
    unclassified: 'calle menor',
    living_street: 'calle de convivencia',
    service: 'vía de servicio',
    track: 'camino',
    public: 'público',
    private: 'privado',
    car: 'coches',
    van: 'furgonetas',
    truck: 'camiones',
    bus: 'autobuses',
    motorcycle: 'motocicletas',
    petrol: 'gasolina',
    diesel: 'diésel',
    electric: 'electricidad',
    hybrid: 'híbrido',
    'plug-in-hybrid': 'híbrido enchufable',
    hydrogen: 'hidrógeno',
    gas: 'gas',
    location: 'ubicación',
    odometer: 'odómetro',
    permit: 'permiso',
  },
  cap: (amount, per) => `como máximo ${amount} por vehículo y ${per}`,
  minimum: (amount, per) => `como mínimo ${amount} por vehículo y ${per}, si se cobra algo`,
  discount: (percent) => `${percent} % menos`,
  tax: (percent) => `${percent} % más`,
  transfer: (minutes) => `los precios fijos se piden una vez en ${minutes} minutos de un día`,
  allowance: (distance, per) => `las primeras ${distance} de cada ${per} gratis`,
  tier: (distance, per, percent) => `por encima de ${distance} por ${per} al ${percent} %`,
  fuelCredit: (amount, per) =>
    `se devuelve el impuesto de combustible de ${amount} por galón, como máximo lo que cuesta el ${per}`,
  distance: (size, unit) => `${size} ${unit === 'mile' ? 'millas' : 'km'}`,
  forRules: (names) => `para ${names}`,
  inZones: (names) => `en ${names}`,
  outside: (names) => `fuera de ${names}`,
  roadsOf: (names) => `en vías de ${names}`,
  onRoads: (names) => `en vías de clase ${names}`,
  onLand: (names) => `en suelo ${names}`,
  free: (reason) => `gratis, ${reason}`,
  exempt: (reason) => `exento, ${reason}`,
  price: (amount, per) => `${amount} por ${per === 'km' ? 'km' : es.names[per]}`,
  times: (factor, rule) => `${factor} veces «${rule}»`,
  forVehicles: (names) => `para ${names}`,
  range: (what, from, to) =>
    `de ${{ weight: 'peso', 'fiscal power': 'potencia fiscal', occupancy: 'ocupación' }[what]} ${[from !== null && `desde ${from}`, to !== null && `menos de ${to}`].filter(Boolean).join(' ')}`,
  drivenBy: (names) => `con ${names}`,
  emission: (names) => `de clase de emisiones ${names}`,
  programme: (names) => `en el programa ${names}`,
  arm: (names) => `en el grupo ${names}`,
  method: (names) => `por ${names}`,
  isMeant: (now, then, of) => `¿Es correcto ${now}? ${of === null ? 'Era' : `En ${of} es`} ${then}.`,
  perUnit: (amount, per) => `${amount} por ${per}`,
  noHoliday: (last) => `¿Habrá una nueva versión? No se conoce ningún festivo después del ${last}.`,
  unexplained: (price) => `Millas que ningún viaje explica: ${price}`,
  byOdometer: (price) => `Millas solo por el odómetro: ${price}`,
  permit: (price) => `Permiso por tiempo: ${price}`,
  ofThese: (whom, otherwise) =>
    `De estas, vehículos ${whom}; los demás gratis, ${otherwise ?? 'la tarifa es para otros vehículos'}`,
  shape: (type, points, print) =>
    `${type === 'Polygon' ? 'polígono' : 'varios polígonos'} de ${points} puntos (${print})`,
  roads: (count, print) => `${count} vías (${print})`,
  segments: (count, print) => `${count} tramos (${print})`,
}

export const WORDS: Readonly<Record<Language, PolicyWords>> = { en, es }
