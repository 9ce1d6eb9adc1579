import { type Fault } from '#kernel'
import { type Language } from './words'

/**
 * What a fault says, in Spanish: the English sentence with `{}` for each of its parts, and the Spanish one in which they stand in the same
 * order. Faults are made where they are found, in English, which is what logs and the command line show; this is for readers.
 */
const EXPECTED: readonly (readonly [en: string, es: string])[] = [
  ['an id that {} does not have', 'un identificador que no tenga {}'],
  ['an id that no published policy has: what is published never changes', 'un identificador que no tenga ninguna política publicada: lo publicado no cambia nunca'], // prettier-ignore
  ['a rule that can match', 'una regla que pueda aplicarse'],
  ['a rule that can be reached', 'una regla a la que se pueda llegar'],
  ['{}: the last rule must match everything, so that each mile has exactly one outcome', '{}: la última regla debe aplicarse a todo, para que cada milla tenga exactamente un resultado'], // prettier-ignore
  ['a weekday, or a calendar in holidays', 'un día de la semana, o un calendario en holidays'],
  ['at least one jurisdiction', 'al menos una jurisdicción'],
  ['a rule that says a price in money', 'una regla que diga un precio en dinero'],
  ['the zones that are entered or left', 'las zonas en las que se entra o de las que se sale'],
  ['a price per entry: entering and leaving cost no distance', 'un precio por entrada: entrar y salir no cuestan distancia'],
  ['a factor that leaves a price above zero', 'un factor que deje un precio mayor que cero'],
  ['at most {} a mile (rates are in the currency unit: 1.8 cents is "0.018")', 'como máximo {} por milla (los precios van en la unidad de la moneda: 1,8 céntimos es "0.018")'], // prettier-ignore
  ['at most {} a km (rates are in the currency unit: 1.8 cents is "0.018")', 'como máximo {} por km (los precios van en la unidad de la moneda: 1,8 céntimos es "0.018")'], // prettier-ignore
  ['at most {} vertices (simplify zone {})', 'como máximo {} vértices (simplifique la zona {})'],
  ['ring {} of zone {} to end where it starts', 'que el anillo {} de la zona {} termine donde empieza'],
  ['zone {} not to cross the antimeridian (split it there into a MultiPolygon)', 'que la zona {} no cruce el antimeridiano (divídala allí en un MultiPolygon)'], // prettier-ignore
  ['ring {} of zone {} not to cross or touch itself', 'que el anillo {} de la zona {} no se cruce ni se toque'],
  ['ring {} of zone {} not to double back', 'que el anillo {} de la zona {} no vuelva sobre sí mismo'],
  ['ring {} of zone {} to enclose at least {} m2', 'que el anillo {} de la zona {} encierre al menos {} m2'],
  ['the rings of zone {} not to cross or touch each other', 'que los anillos de la zona {} no se crucen ni se toquen'],
  ['hole {} of zone {} to lie inside its outer ring and in no other hole', 'que el hueco {} de la zona {} esté dentro de su anillo exterior y en ningún otro hueco'], // prettier-ignore
  ['part {} of zone {} not to lie in part {}', 'que la parte {} de la zona {} no esté dentro de la parte {}'],
  ['zone {} in longitude, latitude order and within its time zone', 'la zona {} en el orden longitud, latitud y dentro de su zona horaria'], // prettier-ignore
  ['a geometry, or a list of roads or segments', 'una geometría, o una lista de vías o tramos'],
  ['a country code such as BE, or dates', 'un código de país como BE, o fechas'],
  ['a country code such as BE', 'un código de país como BE'],
  ['a country whose holidays are known', 'un país cuyos festivos se conozcan'],
  ['a rule with a price per entry or trip', 'una regla con un precio por entrada o viaje'],
  ['rules with a price per entry or trip', 'reglas con un precio por entrada o viaje'],
  ['more than the step before it', 'más que el escalón anterior'],
  ['all rules that {} counts ({}), or none of them', 'todas las reglas que cuenta {} ({}), o ninguna'],
  ['the vehicles that {} counts, or all: what a month comes to has one owner', 'los vehículos que cuenta {}, o todos: lo que suma un mes tiene un solo dueño'], // prettier-ignore
  ['the vehicles that {} counts, or all: what a year comes to has one owner', 'los vehículos que cuenta {}, o todos: lo que suma un año tiene un solo dueño'], // prettier-ignore
  ['no second credit for the fuel tax that {} gives back', 'que no se devuelva dos veces el impuesto de combustible que ya devuelve {}'],
  ['at least the cap of a trip ({})', 'al menos el límite de un viaje ({})'],
  ['at least the cap of a day ({})', 'al menos el límite de un día ({})'],
  ['at least the cap of a month ({})', 'al menos el límite de un mes ({})'],
  ['at least the minimum of a trip ({})', 'al menos el mínimo de un viaje ({})'],
  ['at least the minimum of a day ({})', 'al menos el mínimo de un día ({})'],
  ['at least the minimum of a month ({})', 'al menos el mínimo de un mes ({})'],
  ['at least the minimum of a year ({})', 'al menos el mínimo de un año ({})'],
  ['an IANA time zone such as Europe/Brussels', 'una zona horaria de IANA como Europe/Brussels'],
  ['a moment after startsAt ({})', 'un momento posterior a startsAt ({})'],
  ['a moment from the end of policy {} on ({}), or {} in supersedes', 'un momento desde el fin de la política {} ({}), o {} en supersedes'],
  ['a moment up to the start of policy {} ({})', 'un momento hasta el inicio de la política {} ({})'],
  ["a moment at which policy {} doesn't start", 'un momento en el que no empiece la política {}'],
  ['a moment to come: trips are priced by what was published before they were driven', 'un momento por venir: los viajes se cobran según lo publicado antes de hacerlos'], // prettier-ignore
  ['a notice of at least {} days', 'un aviso de al menos {} días'],
  ['{}, as in policy {} of the same agency', '{}, como en la política {} del mismo organismo'],
  ['a currency code such as USD', 'un código de moneda como USD'],
  ['a time of day such as 07:30', 'una hora como 07:30'],
  ['{}, from below to, or one of them', '{}, con from menor que to, o uno de los dos'],
  ['an amount above zero (where nothing is charged, say {})', 'un importe mayor que cero (donde no se cobra nada, diga {})'],
  ['an amount such as "0.018" (no sign, at most six decimals)', 'un importe como "0.018" (sin signo, con seis decimales como máximo)'],
  ['a number above zero such as "1.5" (at most six decimals)', 'un número mayor que cero como "1.5" (con seis decimales como máximo)'],
  ['a percentage, above "0" and at most "100"', 'un porcentaje, mayor que "0" y como máximo "100"'],
  ['1 to 60 of a-z, 0-9 and -', 'de 1 a 60 caracteres de a-z, 0-9 y -'],
  ['a day such as 2026-10-25', 'un día como 2026-10-25'],
  ['at least one', 'al menos uno'],
  ['none', 'que no haya ninguno'],
  ['one of {} and {}', 'uno de {} y {}'],
  ['one of {}', 'uno de {}'],
  ['string, received {}', 'un texto, no {}'],
  ['number, received {}', 'un número, no {}'],
  ['array, received {}', 'una lista, no {}'],
  ['object, received {}', 'un objeto, no {}'],
  ['boolean, received {}', 'true o false, no {}'],
  ['record, received {}', 'un objeto, no {}'],
  ['{} to be >={}', '{}, al menos {}'],
  ['{} to be <={}', '{}, como máximo {}'],
  ['{} to be >{}', '{}, más de {}'],
  ['{} to be <{}', '{}, menos de {}'],
  ['{} to have >={}', '{}, al menos {}'],
  ['{} to have <={}', '{}, como máximo {}'],
  ['{}', '{}'],
] // prettier-ignore

/** Sentences of zod that don't say what is expected. */
const WHOLE: readonly (readonly [en: string, es: string])[] = [
  ['Unrecognized key: {}', 'se encontró un miembro que no existe: {}'],
  ['Unrecognized keys: {}', 'se encontraron miembros que no existen: {}'],
  ['Invalid ISO datetime', 'se esperaba un momento con su diferencia horaria, como 2027-01-01T00:00:00+01:00'],
  ['Invalid ISO date', 'se esperaba un día como 2026-10-25'],
  ['Invalid key in record', 'se esperaba un nombre de 1 a 60 caracteres de a-z, 0-9 y -'],
  ['Invalid input', 'se esperaba otra cosa'],
]

const FOUND: readonly (readonly [en: string, es: string])[] = [
  ['nothing', 'nada'],
  ['none', 'ninguno'],
  ['this document', 'este documento'],
  ['every rule', 'todas las reglas'],
  ['a price per {}', 'un precio por {}'],
  ['a price that is not of a distance', 'un precio que no es por distancia'],
  ['each of its zones is in outside, too', 'cada una de sus zonas está también en outside'],
  ['{} matches all that it matches', '{} se aplica a todo a lo que ella se aplica'],
  ['{}, which says {}', '{}, que dice {}'],
  ['{} at the start, {} at the end', '{} al inicio, {} al final'],
  ['{}, which fits if read as latitude, longitude', '{}, que encaja si se lee como latitud, longitud'],
  ['[{} to [{}', 'de [{} a [{}'],
  ['a crossing at {}', 'un cruce en {}'],
  ['a spike at {}', 'un pico en {}'],
  ['both at {}', 'ambos en {}'],
  ['{} outside', '{} fuera'],
  ['{} in hole {}', '{} en el hueco {}'],
]

const compiled = (table: readonly (readonly [string, string])[]) =>
  table.map(([en, es]) => ({
    pattern: new RegExp(`^${en.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\{\\}', '([^]+?)')}$`),
    es,
  }))
const [expected, whole, found] = [EXPECTED, WHOLE, FOUND].map(compiled)

const said = (text: string, table: typeof expected): string | null => {
  for (const { pattern, es } of table) {
    const match = pattern.exec(text)
    if (!match) continue
    let part = 0
    return es.replace(/\{\}/g, () => match[++part])
  }
  return null
}

/** A fault in the reader's words; what stands in the document stands in it as it is. */
export function faultIn(fault: Fault, language: Language): Fault {
  if (language === 'en') return fault
  const wanted = /^(?:(?:Invalid (?:input|option)|Too (?:big|small)): )?expected ([^]+)$/.exec(fault.expected)?.[1]
  const says = wanted === undefined ? said(fault.expected, whole) : said(wanted, expected)
  return {
    path: fault.path,
    expected:
      says === null
        ? fault.expected
        : wanted === undefined
          ? says
          : `se esperaba ${says.replace(/, no undefined$/, '')}`,
    found: said(fault.found, found) ?? fault.found,
  }
}
