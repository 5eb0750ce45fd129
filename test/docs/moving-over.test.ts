import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SchemaRouter, type SchemaRouterOptions } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { adopt, djangoRegistry, moveCustomers } from './moving-over.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const database = useDatabase()
const folders = useMigrationFolders()

const LOANS = { '1_loans.sql': 'create table loans (id int primary key, amount int)' }

async function withRouter<R>(
  options: Omit<SchemaRouterOptions, 'pool'>,
  fn: (router: SchemaRouter) => Promise<R>,
): Promise<R> {
  const router = new SchemaRouter({ ...options, connectionString: database.url })
  try {
    return await fn(router)
  } finally {
    await router.close()
  }
}

const loansOf = async (router: SchemaRouter, slug: string): Promise<unknown[]> =>
  (await router.poolFor(slug).query('select * from loans order by id')).rows

describe('docs/moving-over.md', () => {
  const page = read('docs/moving-over.md')
  const code = read('test/docs/moving-over.ts')
  const blocks = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = '']) => block)

  it('shows the code that is tested here', () => {
    expect(blocks).toHaveLength(3)
    expect(blocks.filter((block) => !code.includes(block))).toEqual([])
  })

  it('moves the rows of a table with a column for the tenant, and a second time nothing', async () => {
    await database.admin.query(`
      create table customers (id int, subdomain text);
      create table loans (id int, tenant_id int, amount int);
      insert into customers values (1, 'acme'), (2, 'globex');
      insert into loans values (1, 1, 100), (2, 2, 200), (3, 1, 300)`)
    const schemas = { tenants: { migrations: await folders.folder(LOANS) } }
    await withRouter({ schemas }, async (router) => {
      await moveCustomers(router, database.admin)
      await moveCustomers(router, database.admin)
      expect([await loansOf(router, 'acme'), await loansOf(router, 'globex')]).toEqual([
        [
          { id: 1, amount: 100 },
          { id: 3, amount: 300 },
        ],
        [{ id: 2, amount: 200 }],
      ])
    })
  })

  it('makes a tenant of a schema that is there, with its data, and runs no migration again', async () => {
    await database.admin.query(`create schema app;
      create table app.loans (id int primary key, amount int); insert into app.loans values (7, 70)`)
    const config = {
      schemas: { tenants: { prefix: 'firm_', migrations: await folders.folder(LOANS) } },
    }
    await adopt(config, database.admin)
    await withRouter(config, async (router) => {
      const report = await router.migrations.up()
      expect(report.outcomes.filter(({ applied }) => applied.length > 0)).toEqual([])
      expect(await loansOf(router, 'initech')).toEqual([{ id: 7, amount: 70 }])
    })
  })

  it('reads the registry of django-tenants', async () => {
    const [, view = ''] = /```sql\n(create view [^]*?)```/.exec(page) ?? []
    await database.admin.query(`
      create table customers_client (id serial primary key, schema_name varchar(63) unique, name text);
      create table customers_domain (
        id serial primary key, domain varchar(253) unique, is_primary boolean, tenant_id int);
      insert into customers_client (schema_name, name) values ('public', 'all'), ('hooli', 'Hooli');
      insert into customers_domain (domain, is_primary, tenant_id) values ('hooli.example.com', true, 2);
      create schema hooli; create table hooli.loans (id int); insert into hooli.loans values (3);
      ${view}`)
    await withRouter({ registry: djangoRegistry }, async (router) => {
      const found = await router.resolve({ host: 'hooli.example.com' })
      expect(found).toMatchObject({ kind: 'tenant', tenant: { slug: 'hooli', schema: 'hooli' } })
      expect((await router.tenants.list()).map(({ slug }) => slug)).toEqual(['hooli'])
      expect(await loansOf(router, 'hooli')).toEqual([{ id: 3 }])
    })
  })
})
