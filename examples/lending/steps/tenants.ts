import { type Destination, type RunReport, type SchemaRouter, select } from 'tenantry'

/** What became of a lender that signed up. */
export interface SignUp {
  readonly slug: string
  readonly schema: string
  readonly tables: number
  readonly durationMs: number
}

/** Makes the registry of tenants, and brings the schemas that are there once up to date. */
export async function migrateFixedSchemas(router: SchemaRouter): Promise<RunReport> {
  return router.migrations.up({ select: select.union(select.shared(), select.static()) })
}

/** Creates a lender: row, domain, schema and every migration, in one transaction. */
export async function signUp(router: SchemaRouter, slug: string, name: string): Promise<SignUp> {
  const began = performance.now()
  const domains = [`${slug}.app.example.com`]
  const tenant = await router.tenants.create({ slug, name, domains })
  const durationMs = performance.now() - began
  return { slug, schema: tenant.schema, tables: await countTables(router, slug), durationMs }
}

/** Creates many lenders, two at a time, and says how long that took. */
export async function signUpMany(router: SchemaRouter, slugs: readonly string[]): Promise<number> {
  const began = performance.now()
  const queue = slugs.values()
  const worker = async (): Promise<void> => {
    for (const slug of queue) await router.tenants.create({ slug, name: `Lender ${slug}` })
  }
  await Promise.all([worker(), worker()])
  return performance.now() - began
}

/** Finds the lender behind the host of a request. */
export async function findLender(
  router: SchemaRouter,
  host: string,
): Promise<Destination | undefined> {
  return router.resolve({ host, path: '/loans' })
}

async function countTables(router: SchemaRouter, slug: string): Promise<number> {
  const { rows } = await router.withTenant(slug, (db) =>
    db.query<{ count: number }>(
      'select count(*)::int from pg_tables where schemaname = current_schema()',
    ),
  )
  return rows[0]?.count ?? 0
}
