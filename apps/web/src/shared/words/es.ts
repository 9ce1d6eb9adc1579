import type { Words } from './says'
import { type en } from './en'

export const es: Words<typeof en> = {
  loading: 'Cargando…',
  tryAgain: 'Intentar de nuevo',
  toStart: 'Ir a la página de inicio',
  skip: 'Saltar al contenido principal',
  menu: 'Menú',
  language: 'Idioma',
  theme: { name: 'Colores', auto: 'Como su dispositivo', light: 'Claro', dark: 'Oscuro' },
  signOut: 'Cerrar sesión',
  verifyLink: 'Comprobar una factura usted mismo',
  api: 'Para desarrolladores',
  tariff: 'La tarifa publicada',
  madeWith: 'Funciona con Roadmeter, código abierto. Mapas © colaboradores de OpenStreetMap.',
  privacy: 'Solo usted ve por dónde condujo. Su agencia ve los totales.',
  role: {
    citizen: 'Ciudadano',
    agency: 'Agencia',
    operator: 'Operador',
    editor: 'Redactor',
    approver: 'Aprobador',
    analyst: 'Analista',
    auditor: 'Auditor',
  },
  nav: {
    overview: 'Resumen',
    statements: 'Facturas',
    trips: 'Viajes',
    pay: 'Pagar',
    vehicles: 'Vehículos',
    quote: 'Planear un viaje',
    disputes: 'Reclamaciones',
    privacy: 'Mis datos',
  },
  form: { wrong: 'Hay un problema', error: 'Error:', sending: 'Enviando…' },
  map: {
    label: 'Mapa',
    attribution: '© colaboradores de OpenStreetMap',
    table: 'Lo mismo en una tabla',
    failed: 'Este navegador no puede dibujar el mapa. Todo lo que muestra está en la tabla de abajo.',
  },
  signIn: {
    title: 'Iniciar sesión',
    expired: 'Su sesión ha terminado',
    lead: 'Lo que condujo y lo que debe es solo para usted, por eso necesitamos saber que es usted.',
    kept: 'La sesión se cerró porque no hubo actividad por un tiempo. No se ha perdido nada de lo guardado.',
    how: 'Inicie sesión con su cuenta de la ciudad, o abra el enlace de acceso que le dio su agencia.',
    button: 'Iniciar sesión',
  },
  problem: {
    offline: {
      title: 'Sin conexión',
      what: 'No pudimos llegar al servicio. Es posible que se haya perdido su conexión.',
      todo: 'Compruebe su conexión e inténtelo de nuevo. Lo que escribió sigue aquí.',
    },
    forbidden: {
      title: 'Esto no es para usted',
      what: 'Ha iniciado sesión, pero no como alguien que pueda ver esto.',
      todo: 'Si cree que debería poder verlo, pregunte a su agencia.',
    },
    missing: {
      title: 'Página no encontrada',
      what: 'No hay nada en esta dirección, o no le corresponde verlo.',
      todo: 'Compruebe la dirección o búsquelo desde la página de inicio.',
    },
    busy: {
      title: 'Demasiado a la vez',
      what: 'El servicio está ocupado en este momento.',
      todo: 'Espere un minuto e inténtelo de nuevo.',
    },
    broken: {
      title: 'Algo falló por nuestra parte',
      what: 'Es culpa nuestra. Ha quedado registrado.',
      todo: 'Inténtelo de nuevo en un momento. Nada se cobró dos veces y nada se perdió.',
    },
    refused: {
      title: 'No funcionó',
      what: 'El servicio no aceptó esto.',
      todo: 'Cambie lo que se indica arriba e inténtelo de nuevo.',
    },
  },
}
