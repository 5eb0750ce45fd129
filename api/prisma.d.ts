import { TenantPool } from './index.js'

export type MakeClient<C> = (pool: never, schema: string) => C

export interface TenantPrisma<C> {
  readonly current: C
  close(): Promise<void>
}

export interface TenantPrismaOptions {
  readonly max?: number
  readonly schemas?: readonly string[]
}

export interface TenantSource {
  current(): {
    readonly slug: string
    readonly schema: string
  }
  poolFor(slug: string): TenantPool
}

export declare function tenantPrisma<C extends object>(
  router: TenantSource,
  make: MakeClient<C>,
  options?: TenantPrismaOptions,
): TenantPrisma<C>
