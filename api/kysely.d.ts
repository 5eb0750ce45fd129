import { NamedSchemasOption, PoolOwner } from './drizzle.js'
import { TenantPool } from './index.js'

export { NamedSchemasOption, PoolOwner } from './drizzle.js'

export declare function tenantDialect<D extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => D,
  options?: NamedSchemasOption,
): D
