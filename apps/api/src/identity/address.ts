import { Injectable } from '@nestjs/common'
import { invariant } from '#kernel'

/** How browsers reach us: known once we listen. */
@Injectable()
export class Address {
  private known: string | null = null

  get url(): string {
    invariant(this.known, 'no request comes before the server listens')
    return this.known
  }

  set url(url: string) {
    this.known = url.replace(/\/+$/, '')
  }
}
