import { NamedSchemasOption, PoolOwner } from './drizzle.js'

export { NamedSchemasOption, PoolOwner } from './drizzle.js'

export declare function tenantMikroOrm<O extends object>(
  router: PoolOwner,
  make: () => O,
  options?: NamedSchemasOption,
): O
