import { RequestPlace, ServeOptions, ServingRouter } from './express.js'
import { Tenant, TenantMetadata } from './index.js'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'

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

export interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (
      request: FastifyRequestLike,
      reply: FastifyReplyLike,
      done: (error?: Error) => void,
    ) => void,
  ): unknown
  routing(request: IncomingMessage, response: ServerResponse): void
}

export type FastifyPlugin = (app: FastifyLike, options: object, done: () => void) => void

export interface FastifyReplyLike {
  readonly raw: ServerResponse
  code(status: number): unknown
  headers(values: Record<string, string>): unknown
  send(body: string): unknown
  hijack(): unknown
}

export interface FastifyRequestLike {
  readonly raw: IncomingMessage
}

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export type UpgradeOptions<Request = IncomingMessage> = Omit<
  ServeOptions<Request>,
  'redirect' | 'refusals'
>

export declare function placeOf<Metadata extends object = TenantMetadata>(
  request: FastifyRequestLike,
): RequestPlace<Metadata> | undefined

export declare function serveTenants<Request extends FastifyRequestLike = FastifyRequestLike>(
  router: ServingRouter<object>,
  options?: ServeOptions<Request>,
): FastifyPlugin

export declare function serveUpgrades(
  router: ServingRouter<object>,
  options: UpgradeOptions,
  handler: UpgradeListener,
): UpgradeListener

export declare function tenantOf<Metadata extends object = TenantMetadata>(
  request: FastifyRequestLike,
): Tenant<Metadata> | undefined
