import { ServeOptions, ServingRouter } from './express.js'
import { IncomingMessage, ServerResponse } from 'node:http'

export {
  AskedRequest,
  Claim,
  FindTenant,
  Found,
  FoundWord,
  PathOptions,
  Problem,
  Refusal,
  RefusalCode,
  RequestPlace,
  ServeOptions,
  ServingRouter,
  SubdomainOptions,
  byClaim,
  byHeader,
  byHost,
  byPath,
  bySubdomain,
  firstOf,
  placeOf,
  problemOf,
  tenantOf,
} from './express.js'

export type NestMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

export declare const TENANT_ROUTER = 'TENANT_ROUTER'

export interface TenantDynamicModule {
  readonly module: new () => object
  readonly global: boolean
  readonly providers: {
    readonly provide: string
    readonly useValue: unknown
  }[]
  readonly exports: string[]
}

export declare class TenantGuard {
  canActivate(context: {
    switchToHttp(): {
      getRequest(): object
    }
  }): boolean
}

export declare function serveTenants<Request extends IncomingMessage = IncomingMessage>(
  router: ServingRouter<object>,
  options?: ServeOptions<Request>,
): NestMiddleware<Request>

export declare function tenantModule<Request extends IncomingMessage = IncomingMessage>(
  router: ServingRouter<object>,
  options?: ServeOptions<Request>,
): TenantDynamicModule
