import { Tenant } from './index.js'

export type JobFunction<R> = (
  given: unknown,
  ...rest: readonly unknown[]
) => Promise<R | undefined | Promise<R>[]>

export type JobHandler<Data, Rest extends readonly unknown[], R> = (
  data: Data,
  ...rest: Rest
) => R | Promise<R>

export interface JobRouter {
  readonly tenants: {
    find(slug: string): Promise<Tenant<object> | undefined>
    list(filter: {
      readonly status: readonly Tenant['status'][]
    }): Promise<readonly Tenant<object>[]>
  }
  current(): Tenant<object>
  runAs<R>(tenant: string, fn: () => R | Promise<R>): Promise<R>
}

export interface JobTenant {
  readonly id: string
  readonly slug: string
}

export interface Jobs {
  wrap<Data>(data: Data): TenantPayload<Data>
  unwrap<Data, Rest extends readonly unknown[], R>(
    handler: JobHandler<Data, Rest, R>,
  ): JobFunction<R>
}

export interface TenantPayload<Data> {
  readonly tenantry: JobTenant
  readonly data: Data
}

export declare function jobs(router: JobRouter): Jobs
