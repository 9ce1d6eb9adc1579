import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { Observable } from 'rxjs'
import { type Scope, Store } from '#store'
import { type Caller, type Request } from './access'

const AS_MACHINE = 'roadmeter:as-machine'

/**
 * Declares that a route works with rows that whoever asks may not see: what signs people in, what messages of machines say, what prices a
 * journey again that a decision is about. Its own code alone says whose rows those are, so say why.
 */
export const AsMachine = (why: string) => SetMetadata(AS_MACHINE, why)

/** Every transaction of a request runs as whoever asks: the database's own wall, behind the guard. */
@Injectable()
export class ScopeOfCaller implements NestInterceptor {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Store) private readonly store: Store,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<Request>()
    const why = this.reflector.getAllAndOverride<string | undefined>(AS_MACHINE, [
      context.getHandler(),
      context.getClass(),
    ])
    const scope: Scope = why ? { as: 'machine' } : scopeFor(request.caller, request.params)
    return new Observable((subscriber) =>
      this.store.within(scope, () => {
        const subscription = next.handle().subscribe(subscriber)
        return () => subscription.unsubscribe()
      }),
    )
  }
}

/** A citizen sees the own account, staff the own agency; who isn't signed in sees what the agency of the path has published. */
function scopeFor(caller: Caller | undefined, params: unknown): Scope {
  switch (caller?.kind) {
    case 'device':
    case 'forwarder':
      return { as: 'machine' }
    case 'person': {
      const { role, agency, account } = caller.who
      return role === 'citizen'
        ? { as: 'person', side: 'citizen', agency, account: account! }
        : { as: 'person', side: 'staff', agency, account: '' }
    }
    default: {
      const { agency } = params as { agency?: string }
      return { as: 'person', side: 'public', agency: agency ?? '', account: '' }
    }
  }
}
