import { NamedSchemasOption, PoolOwner } from './drizzle.js'

export { NamedSchemasOption, PoolOwner } from './drizzle.js'

export declare function tenantSequelize<S extends object>(
  router: PoolOwner,
  make: () => S,
  options?: NamedSchemasOption,
): S
