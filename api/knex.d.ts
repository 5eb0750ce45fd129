import { NamedSchemasOption, PoolOwner } from './drizzle.js'
import { TenantPool } from './index.js'

export { NamedSchemasOption, PoolOwner } from './drizzle.js'

export declare function tenantKnex<K extends object>(
  router: PoolOwner,
  make: (pool: TenantPool) => K,
  options?: NamedSchemasOption,
): K
