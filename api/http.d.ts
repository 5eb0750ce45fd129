import { AskedRequest, Refusal, RequestPlace, ServeOptions, ServingRouter } from './express.js'
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
export { UpgradeListener, UpgradeOptions, serveUpgrades } from './fastify.js'

export type HttpListener = (request: IncomingMessage, response: ServerResponse) => void

export interface HttpOptions extends ServeOptions<IncomingMessage> {
  readonly onError?: (error: unknown, request: IncomingMessage, response: ServerResponse) => unknown
}

export interface RequestGate<Request = unknown> {
  readonly refusals: 'answer' | 'throw'
  readonly admit: (asked: AskedRequest<Request>) => Promise<Verdict>
}

export type Verdict =
  | {
      readonly kind: 'serve'
      readonly place: RequestPlace | undefined
      readonly url: string
      readonly run: <R>(fn: () => R | Promise<R>) => Promise<R>
    }
  | {
      readonly kind: 'redirect'
      readonly status: 307
      readonly location: string
    }
  | {
      readonly kind: 'refuse'
      readonly error: Refusal
    }

export declare function requestGate<Request = unknown>(
  router: ServingRouter<object>,
  options?: ServeOptions<Request>,
): RequestGate<Request>

export declare function serveTenants(
  router: ServingRouter<object>,
  options: HttpOptions,
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
): HttpListener
