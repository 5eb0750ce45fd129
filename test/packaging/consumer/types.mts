// Compiled by the consumer as an ES module and as a CommonJS one, with all checks on.
import { Pool } from 'pg'
import {
  SchemaRouter,
  type Tenant,
  type TenantryConfig,
  defineConfig,
  isTenantryError,
  select,
} from 'tenantry'
import { type MigrationSource, directory } from 'tenantry/migrate'
import { type EmbeddedPostgres, startEmbeddedPostgres } from 'tenantry/testing'

interface Loan {
  readonly amount: number
}

export const source: MigrationSource = directory('migrations/tenant')
export const config: TenantryConfig = defineConfig({ schemas: { tenants: { migrations: source } } })
export const router: SchemaRouter = new SchemaRouter({ ...config, pool: new Pool() })
export const asPgPool: Pool = router.pool

export async function use(): Promise<readonly Loan[]> {
  const tenant: Tenant = await router.tenants.create({ slug: 'acme' })
  const { rows } = await router.withTenant(tenant, (db) => db.query<Loan>('select 1 as amount'))
  const { outcomes } = await router.migrations.up({ select: select.tenants(), concurrency: 2 })
  const server: EmbeddedPostgres = await startEmbeddedPostgres()
  await server.stop()
  return outcomes.length > 0 ? rows : []
}

export function statusOf(error: unknown): number {
  // @ts-expect-error There is no such code: the type of the codes has arrived.
  if (isTenantryError(error, 'NO_SUCH_CODE')) return 500
  // @ts-expect-error A slug is a string: the parameter is no `any`.
  void router.tenants.get(7)
  return isTenantryError(error, 'TENANT_NOT_FOUND') ? 404 : 500
}

// The types of the adapters need no framework.
export * as express from 'tenantry/express'
export * as fastify from 'tenantry/fastify'
export * as hono from 'tenantry/hono'
export * as http from 'tenantry/http'
export * as koa from 'tenantry/koa'
export * as nest from 'tenantry/nest'
