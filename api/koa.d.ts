import { RequestPlace, ServeOptions, ServingRouter } from './express.js'
import { Tenant, TenantMetadata } from './index.js'
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
  problemOf,
} from './express.js'

export interface KoaContextLike {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  status: number
  body: unknown
  set(headers: Record<string, string>): unknown
}

export type KoaMiddleware<Context extends KoaContextLike = KoaContextLike> = (
  context: Context,
  next: () => Promise<unknown>,
) => Promise<void>

export declare function placeOf<Metadata extends object = TenantMetadata>(
  context: Pick<KoaContextLike, 'req'>,
): RequestPlace<Metadata> | undefined

export declare function serveTenants<Context extends KoaContextLike = KoaContextLike>(
  router: ServingRouter<object>,
  options?: ServeOptions<Context>,
): KoaMiddleware<Context>

export declare function tenantOf<Metadata extends object = TenantMetadata>(
  context: Pick<KoaContextLike, 'req'>,
): Tenant<Metadata> | undefined
