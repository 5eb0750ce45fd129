import type { Pool } from 'pg'
import {
  SchemaRouter,
  type SchemaRouterOptions,
  type TenantRegistry,
  mappedRegistry,
  select,
} from 'tenantry'

export async function moveCustomers(router: SchemaRouter, pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ id: number; subdomain: string }>(
    'select id, subdomain from public.customers order by id',
  )
  for (const { id, subdomain } of rows) {
    if ((await router.tenants.find(subdomain)) !== undefined) continue
    await router.tenants.create({ slug: subdomain, metadata: { customer: id } })
  }
  await router.each(select.tenants(), async (db, { tenant }) => {
    await db.query(
      `insert into loans (id, amount)
         select id, amount from public.loans where tenant_id = $1
         on conflict do nothing`,
      [tenant?.metadata['customer']],
    )
  })
}

export async function adopt(config: SchemaRouterOptions, pool: Pool): Promise<void> {
  await pool.query('alter schema app rename to firm_initech')
  const router = new SchemaRouter({
    ...config,
    pool,
    schemas: { tenants: { ...config.schemas?.tenants, autoCreateSchema: false } },
  })
  await router.tenants.create({ slug: 'initech' })
  // It has all migrations up to this one, by whatever means they were run.
  await router.migrations.markApplied({ select: select.names('initech'), to: '1_loans.sql' })
  await router.close()
}

export const djangoRegistry: TenantRegistry = mappedRegistry({
  table: 'public.customers_tenants',
  columns: { id: 'id', slug: 'schema_name', schema: 'schema_name', name: 'name' },
  domains: {
    table: 'public.customers_domain',
    columns: { tenant: 'tenant_id', host: 'domain', primary: 'is_primary' },
  },
})
