import { SchemaRouter } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'
import { findSystemPostgres, useSystemServer } from '../support/system-postgres.js'

// The server of the other tests may be of the same version; then this tests nothing else than they do.
const system = await findSystemPostgres()
const other = useDatabase(await useSystemServer(system))
const usual = useDatabase()
const migrations = useMigrationFolders()

// The server tells what a view, a check and an index expression are in words of its own.
const TENANTS = {
  '1_loans.sql': `
    create table loans (id int primary key, state text check (state in ('open', 'paid')), amount int not null);
    create index on loans (coalesce(state, 'open'), (amount * 2));
    create view open_loans as select l.*, l.amount > 10 as is_large from loans l where l.state = any ('{open}');
    create materialized view totals as
      select state, sum(amount) as amount from loans natural join open_loans group by grouping sets ((state), ());`,
}

describe.skipIf(system === undefined)('tenants.move between two versions of PostgreSQL', () => {
  it.each([
    { from: other, to: usual, way: `from PostgreSQL ${system?.major} to the usual one` },
    { from: usual, to: other, way: `to PostgreSQL ${system?.major} from the usual one` },
  ])('brings views, checks and rows along $way', async (ends) => {
    const prefix = usual.prefix()
    const schemas = await migrations.fleet(prefix, { tenants: TENANTS })
    const routerOn = (database: typeof usual): SchemaRouter =>
      new SchemaRouter({ pool: database.pool({ max: 4 }), schemas })
    const [from, to] = [routerOn(ends.from), routerOn(ends.to)]
    for (const router of [from, to]) await router.migrations.up()
    await from.tenants.create({ slug: 'acme', name: 'Acme Lending' })
    await from.withTenant('acme', (db) => db.query(`insert into loans values (1, 'open', 20)`))
    await from.withTenant('acme', (db) => db.query('refresh materialized view totals'))

    const { tenant, rows } = await from.tenants.move('acme', { to })

    const found = await to.withTenant('acme', (db) =>
      db.query(
        'select o.id, o.is_large, t.amount::int from open_loans o join totals t using (state)',
      ),
    )
    expect({ status: tenant.status, rows, found: found.rows }).toEqual({
      status: 'active',
      rows: 1,
      found: [{ id: 1, is_large: true, amount: 20 }],
    })
    await from.close()
    await to.close()
  })
})
