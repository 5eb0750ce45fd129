import { TenantPool } from './index.js'

export interface NamedSchemasOption {
  readonly schemas?: readonly string[]
}

export interface PoolOwner {
  readonly pool: TenantPool
}

export declare function tenantDrizzle<D extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => D,
  options?: NamedSchemasOption,
): D
