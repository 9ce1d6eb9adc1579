import { type Language } from '#policy'

interface Problem {
  readonly title: string
  /** In place of the reason, which is said in English alone; null where nothing stands for it. */
  readonly what: string | null
  readonly todo: string
}

/** What the pages say that do without the portal's script. Names are the city's; a statement has words of its own (libs/statement). */
export interface PageSays {
  readonly inOther: string
  readonly problems: {
    readonly signIn: Problem
    readonly forbidden: Problem
    readonly missing: Problem
    readonly broken: Problem
    readonly refused: Problem
  }
  readonly statements: string
  readonly statementsOf: (agency: string) => string
  readonly listed: (shown: number, of: number) => string
  readonly columns: {
    readonly month: string
    readonly account: string
    readonly trips: string
    readonly due: string
    readonly state: string
    readonly read: string
  }
  readonly final: string
  readonly review: string
  readonly statement: string
  readonly tariff: string
  readonly api: string
  readonly pay: (amount: string) => string
  readonly payLead: string
  readonly decline: string
  readonly choose: {
    readonly title: string
    readonly lead: string
    readonly none: string
    readonly roleOf: (role: string, agency: string) => string
    readonly over: Problem
    readonly failed: string
    readonly back: string
  }
}

const ROLES: Readonly<Record<string, string>> = {
  citizen: 'ciudadano',
  agency: 'agencia',
  operator: 'operador',
  editor: 'redactor',
  approver: 'aprobador',
  analyst: 'analista',
  auditor: 'auditor',
}

const START = (text: string) => `<a href="/">${text}</a>`
const SIGN_IN = (text: string) => `<a href="/auth/login">${text}</a>`

export const PAGE_SAYS: Readonly<Record<Language, PageSays>> = {
  en: {
    inOther: 'Español',
    problems: {
      signIn: {
        title: 'Please sign in',
        what: null,
        todo: `${SIGN_IN('Sign in')}, or open the link that you were handed.`,
      },
      forbidden: { title: 'Not for you', what: null, todo: START('To your statements') },
      missing: { title: 'Not found', what: null, todo: START('To your statements') },
      broken: { title: 'Something went wrong', what: null, todo: 'Try again in a moment.' },
      refused: { title: 'That did not work', what: null, todo: START('To your statements') },
    },
    statements: 'Your statements',
    statementsOf: (agency) => `Statements of ${agency}`,
    listed: (shown, of) =>
      `${shown < of ? `the first ${shown} of ` : ''}${of} statement${of === 1 ? '' : 's'}, newest first`,
    columns: { month: 'Month', account: 'Account', trips: 'Trips', due: 'Due', state: 'State', read: 'Read' },
    final: 'final',
    review: 'in review',
    statement: 'statement',
    tariff: 'The published tariff',
    api: 'The api',
    pay: (amount) => `Pay ${amount}`,
    payLead: 'This is a demonstration: no money is taken, whichever you choose.',
    decline: 'Let the card be declined',
    choose: {
      title: 'Who would you like to be?',
      lead: 'These people are made up. In a city, its own identity provider asks for a password here.',
      none: 'Nobody has been let in yet.',
      roleOf: (role, agency) => `${role} of ${agency}`,
      over: { title: 'Please start again', what: 'This sign-in is over.', todo: SIGN_IN('Sign in') },
      failed: 'Signing in did not work',
      back: 'Back',
    },
  },
  es: {
    inOther: 'English',
    problems: {
      signIn: {
        title: 'Inicie sesión',
        what: 'Su sesión ha terminado, o todavía no ha iniciado ninguna.',
        todo: `${SIGN_IN('Inicie sesión')}, o abra el enlace que le dieron.`,
      },
      forbidden: {
        title: 'Esto no es para usted',
        what: 'Ha iniciado sesión, pero no como alguien que pueda ver esto.',
        todo: START('Ir a sus facturas'),
      },
      missing: {
        title: 'Página no encontrada',
        what: 'No hay nada en esta dirección, o no le corresponde verlo.',
        todo: START('Ir a sus facturas'),
      },
      broken: {
        title: 'Algo salió mal',
        what: 'Algo falló por nuestra parte; ha quedado registrado.',
        todo: 'Inténtelo de nuevo en un momento.',
      },
      refused: { title: 'No funcionó', what: null, todo: START('Ir a sus facturas') },
    },
    statements: 'Sus facturas',
    statementsOf: (agency) => `Facturas de ${agency}`,
    listed: (shown, of) =>
      `${shown < of ? `las primeras ${shown} de ` : ''}${of} factura${of === 1 ? '' : 's'}, primero las más recientes`,
    columns: { month: 'Mes', account: 'Cuenta', trips: 'Viajes', due: 'A pagar', state: 'Estado', read: 'Leer' },
    final: 'definitiva',
    review: 'en revisión',
    statement: 'factura',
    tariff: 'La tarifa publicada',
    api: 'La API',
    pay: (amount) => `Pagar ${amount}`,
    payLead: 'Esto es una demostración: no se cobra nada, elija lo que elija.',
    decline: 'Hacer que se rechace la tarjeta',
    choose: {
      title: '¿Quién quiere ser?',
      lead: 'Estas personas son inventadas. En una ciudad, su propio proveedor de identidad pide aquí una contraseña.',
      none: 'Todavía no se ha dado acceso a nadie.',
      roleOf: (role, agency) => `${ROLES[role] ?? role} de ${agency}`,
      over: { title: 'Empiece de nuevo', what: 'Este inicio de sesión ha terminado.', todo: SIGN_IN('Iniciar sesión') },
      failed: 'No se pudo iniciar sesión',
      back: 'Volver',
    },
  },
}
