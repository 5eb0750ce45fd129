import { NamedSchemasOption, PoolOwner } from './drizzle.js'

export { NamedSchemasOption, PoolOwner } from './drizzle.js'

export declare function tenantDataSource<D extends object>(
  router: PoolOwner,
  make: () => D,
  options?: NamedSchemasOption,
): D
