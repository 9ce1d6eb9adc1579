import { Controller, Get, Header, NotFoundException, StreamableFile } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import { existsSync, createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { Access } from './access'
import { type Language } from '#policy'
import { ReadersLanguage } from './language'
import { page } from './pages'

/** What the build made of infra/verify-page.js: beside the compiled api, or in the checkout that a test runs in. */
const bundle = (): string | undefined =>
  ['../../../browser/verify.js', '../../../dist/browser/verify.js']
    .map((place) => resolve(__dirname, place))
    .find(existsSync)

interface Says {
  readonly title: string
  readonly lead: string
  readonly check: string
  /** A field's name, and what belongs in it. */
  readonly statement: readonly [string, string]
  readonly policies: readonly [string, string]
  readonly proof: readonly [string, string]
  readonly root: readonly [string, string]
}

const SAYS: Readonly<Record<Language, Says>> = {
  en: {
    title: 'Check a statement',
    lead: 'The files stay on your computer: this page works everything out itself and can reach nobody.',
    check: 'Check',
    statement: ['The statement', 'Its JSON, as you were sent it; or its bundle, which needs nothing more'],
    policies: ['The policies', 'As published: /v1/agencies/…/policies'],
    proof: ['The proof, if you have it', '/v1/statements/…/proof'],
    root: ['The published root of the month', 'Without it the one in the proof is believed'],
  },
  es: {
    title: 'Comprobar una factura',
    lead: 'Los archivos se quedan en su equipo: esta página lo calcula todo ella misma y no puede comunicarse con nadie.',
    check: 'Comprobar',
    statement: ['La factura', 'Su JSON, tal como se la enviaron; o su paquete, que no necesita nada más'],
    policies: ['Las políticas', 'Tal como se publicaron: /v1/agencies/…/policies'],
    proof: ['La prueba, si la tiene', '/v1/statements/…/proof'],
    root: ['La raíz publicada del mes', 'Sin ella se cree la de la prueba'],
  },
}

@ApiTags('statements')
@Controller()
@Access('everyone')
export class VerifyController {
  /** Works a statement out again in the browser: nothing that is chosen here is sent to us. */
  @Get('verify')
  @Header('content-type', 'text/html; charset=utf-8')
  // Stricter than our other pages: it may run our script, and reach nobody, not even us.
  @Header(
    'content-security-policy',
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  verify(@ReadersLanguage() language: Language): string {
    const says = SAYS[language]
    const choose = (id: 'statement' | 'policies' | 'proof') =>
      `<p><label for="${id}">${says[id][0]}</label> <span class="sub">${says[id][1]}</span><input type="file" id="${id}" accept=".json,application/json"></p>`
    return page(
      says.title,
      `<p>${says.lead}</p>
<form id="verify">
${choose('statement')}
${choose('policies')}
${choose('proof')}
<p><label for="root">${says.root[0]}</label> <span class="sub">${says.root[1]}</span><input id="root" spellcheck="false"></p>
<p><button>${says.check}</button></p>
</form>
<div role="status"><ul id="said"></ul></div>
<script type="module" src="/verify.js"></script>`,
      language,
      '/verify',
    )
  }

  @Get('verify.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): StreamableFile {
    const file = bundle()
    if (!file) throw new NotFoundException('the page was not built: npm run build')
    return new StreamableFile(createReadStream(file))
  }
}
