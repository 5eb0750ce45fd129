import {
  Destination,
  Domain,
  ErrorCode,
  RequestAddress,
  RequestHeaders,
  Tenant,
  TenantMetadata,
  TenantOrSlug,
  TenantryError,
} from './index.js'
import { IncomingMessage, ServerResponse } from 'node:http'

export interface AskedRequest<Request = unknown> {
  readonly request: Request
  readonly method: string
  readonly url: string
  readonly headers: RequestHeaders
}

export type Claim = string | null | undefined

export type ExpressMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

export type FindTenant<Request = unknown> = (
  asked: AskedRequest<Request>,
  router: ServingRouter<object>,
) => FoundWord | Promise<FoundWord>

export type Found =
  | {
      readonly kind: 'tenant'
      readonly tenant: Tenant<object>
      readonly prefix?: string
      readonly redirect?: Domain
    }
  | {
      readonly kind: 'static'
      readonly schema: string
    }
  | {
      readonly kind: 'unknown'
    }
  | {
      readonly kind: 'malformed'
    }
  | {
      readonly kind: 'none'
      readonly isUnknownHost?: boolean
    }

export type FoundWord = TenantOrSlug | Found | null | undefined

export interface PathOptions {
  readonly below?: string
}

export interface Problem {
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: RefusalCode
}

export type Refusal = TenantryError & {
  readonly status: number
  readonly statusCode: number
}

export type RefusalCode = Extract<
  ErrorCode,
  'TENANT_NOT_FOUND' | 'TENANT_SUSPENDED' | 'TENANT_UNRESOLVED'
>

export type RequestPlace<Metadata = TenantMetadata> =
  | {
      readonly kind: 'tenant'
      readonly tenant: Tenant<Metadata>
      readonly prefix: string
    }
  | {
      readonly kind: 'static' | 'shared'
      readonly schema: string
    }

export interface ServeOptions<Request = unknown> {
  readonly tenant?: FindTenant<Request>
  readonly missing?: 'reject' | 'shared' | 'pass'
  readonly redirect?: boolean
  readonly stripPrefix?: boolean
  readonly refusals?: 'answer' | 'throw'
}

export interface ServingRouter<Metadata extends object = TenantMetadata> {
  resolve(request: RequestAddress): Promise<Destination<Metadata> | undefined>
  runAs<R>(tenant: TenantOrSlug, fn: () => R | Promise<R>): Promise<R>
  withSchema<R>(name: string, fn: () => R | Promise<R>): Promise<R>
  whoWill(selector: { readonly kind: 'shared' }): Promise<readonly string[]>
  readonly tenants: {
    find(slug: string): Promise<Tenant<Metadata> | undefined>
  }
}

export interface SubdomainOptions {
  readonly base: string | readonly string[]
  readonly trustForwardedHost?: boolean
}

export declare function byClaim<Request>(
  read: (request: Request) => Claim | Promise<Claim>,
): FindTenant<Request>

export declare function byHeader(name: string): FindTenant

export declare function byHost(): FindTenant

export declare function byPath(options?: PathOptions): FindTenant

export declare function bySubdomain(options: SubdomainOptions): FindTenant

export declare function firstOf<Request = unknown>(
  ...resolvers: readonly FindTenant<Request>[]
): FindTenant<Request>

export declare function placeOf<Metadata extends object = TenantMetadata>(
  request: IncomingMessage,
): RequestPlace<Metadata> | undefined

export declare function problemOf({ code }: TenantryError): Problem

export declare function serveTenants<Request extends IncomingMessage = IncomingMessage>(
  router: ServingRouter<object>,
  options?: ServeOptions<Request>,
): ExpressMiddleware<Request>

export declare function tenantOf<Metadata extends object = TenantMetadata>(
  request: IncomingMessage,
): Tenant<Metadata> | undefined
