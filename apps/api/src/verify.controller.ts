import { Controller, Get, Header, NotFoundException, StreamableFile } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import { existsSync, createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { Access } from './access'
import { page } from './pages'

/** What the build made of infra/verify-page.js: beside the compiled api, or in the checkout that a test runs in. */
const bundle = (): string | undefined =>
  ['../../../browser/verify.js', '../../../dist/browser/verify.js']
    .map((place) => resolve(__dirname, place))
    .find(existsSync)

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
  verify(): string {
    const choose = (id: string, label: string, hint: string) =>
      `<p><label for="${id}">${label}</label><br><input type="file" id="${id}" accept=".json,application/json"> <span class="sub">${hint}</span></p>`
    return page(
      'Check a statement',
      `<p>The files stay on your computer: this page works everything out itself and can reach nobody.</p>
<style>input{max-width:100%}</style>
<form id="verify">
${choose('statement', 'The statement', 'its JSON, as you were sent it; or its bundle, which needs nothing more')}
${choose('policies', 'The policies', 'as published: /v1/agencies/…/policies')}
${choose('proof', 'The proof, if you have it', '/v1/statements/…/proof')}
<p><label for="root">The published root of the month</label><br><input id="root" size="64" spellcheck="false"> <span class="sub">without it the one in the proof is believed</span></p>
<p><button>Check</button></p>
</form>
<ul id="said" role="status"></ul>
<script type="module" src="/verify.js"></script>`,
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
