import type { Pool } from 'pg'
import { builtPackage } from '../built-package.js'
import { slugOf } from '../fleet.js'

/** Few enough for the server's table of locks. */
const CHUNK = 50
const MIGRATIONS = 40
const TEMPLATE = 'template'

/** The migrations of the fleet: a table, and changes that leave it small. */
export const fleetMigrations: readonly string[] = Array.from({ length: MIGRATIONS }, (_, index) =>
  index === 0
    ? 'create table loans (id int primary key, amount int not null);'
    : `alter table loans alter column amount set default ${index};`,
)

/** What a tenant looks like after the migrations, with the ledger's rows and its comment. */
const MAKE = `
  create or replace function public.bench_copy(slug text) returns void
  language plpgsql as $$
  declare
    place text := 'tenant_' || slug;
    model text := 'tenant_${TEMPLATE}';
  begin
    execute format('create schema %I', place);
    execute format('create table %I.loans (like %I.loans including all)', place, model);
    execute format('create table %I.migrations (like %I.migrations including all)', place, model);
    execute format('insert into %I.migrations select * from %I.migrations', place, model);
    execute format('comment on table %I.migrations is %L', place,
      obj_description(format('%I.migrations', model)::regclass, 'pg_class'));
    insert into public.tenantry_tenants (slug, name, schema) values (slug, 'bench', place);
  end $$`

/** Migrates one tenant as a service does, and copies it on the server until there are `tenants`. */
export async function makeMigratedFleet(
  pool: Pool,
  migrations: string,
  tenants: number,
): Promise<void> {
  const { SchemaRouter, select } = await builtPackage()
  const router = new SchemaRouter({ pool, schemas: { tenants: { migrations } } })
  await router.migrations.up({ select: select.shared() })
  await router.tenants.create({ slug: TEMPLATE, name: 'bench' })
  await pool.query(MAKE)
  const slugs = Array.from({ length: tenants - 1 }, (_, number) => slugOf(number))
  for (let start = 0; start < slugs.length; start += CHUNK) {
    const chunk = slugs.slice(start, start + CHUNK)
    await pool.query('select public.bench_copy(slug) from unnest($1::text[]) slug', [chunk])
  }
  await pool.query('vacuum analyze')
}

/** The schemas of all tenants. */
export async function schemasOf(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ schema: string }>(
    'select schema from public.tenantry_tenants order by schema',
  )
  return rows.map(({ schema }) => schema)
}
