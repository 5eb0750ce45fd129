import { RequestPlace, ServeOptions, ServingRouter } from './express.js'
import { Tenant, TenantMetadata } from './index.js'

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
  problemOf,
} from './express.js'

export interface HonoContextLike {
  readonly req: {
    readonly raw: Request
  }
  readonly env: unknown
  readonly res: Response
  set(key: 'tenant', value: unknown): void
}

export type HonoMiddleware<Context> = (
  context: Context,
  next: () => Promise<void>,
) => Promise<Response | undefined>

export interface HonoOptions<Context> extends ServeOptions<Context> {
  readonly app?: {
    fetch(request: Request, env: unknown): Response | Promise<Response>
  }
}

export interface TenantVariables<Metadata extends object = TenantMetadata> {
  readonly tenant: Tenant<Metadata> | undefined
}

export declare function placeOf<Metadata extends object = TenantMetadata>(
  context: object,
): RequestPlace<Metadata> | undefined

export declare function serveTenants<Context extends HonoContextLike = HonoContextLike>(
  router: ServingRouter<object>,
  options?: HonoOptions<Context>,
): HonoMiddleware<Context>

export declare function tenantOf<Metadata extends object = TenantMetadata>(
  context: object,
): Tenant<Metadata> | undefined
