import { type SchemaName, quoteIdent } from '../../names/schema-name.js'

/** The registry's tables, qualified with the shared schema. */
export interface RegistryTables {
  readonly schema: string
  readonly tenants: string
  readonly domains: string
}

/** The names of the registry's tables in a shared schema. */
export function registryTables(shared: SchemaName): RegistryTables {
  const schema = quoteIdent(shared)
  return {
    schema,
    tenants: `${schema}.tenantry_tenants`,
    domains: `${schema}.tenantry_domains`,
  }
}
