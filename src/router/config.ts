import type { TenantMetadata } from '../registry/tenant.js'
import type { SchemaRouterOptions } from './options.js'

/** What `tenantry.config.ts` holds: the options of the router that the service and the CLI share. */
export type TenantryConfig<
  Metadata extends object = TenantMetadata,
  Input = Metadata,
> = SchemaRouterOptions<Metadata, Input>

/**
 * Types the configuration file that the service and the CLI share; returns it as it is.
 *
 * @example
 * import { defineConfig } from 'tenantry'
 *
 * export default defineConfig({
 *   connectionString: process.env.DATABASE_URL ?? 'postgres://localhost/app',
 *   schemas: {
 *     shared: { migrations: 'migrations/public' },
 *     tenants: { prefix: 'tenant_', migrations: 'migrations/tenant', searchPath: ['public'] },
 *   },
 * })
 */
export function defineConfig<Metadata extends object = TenantMetadata, Input = Metadata>(
  config: TenantryConfig<Metadata, Input>,
): TenantryConfig<Metadata, Input> {
  return config
}
