import { SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { countQueries, countStates } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const COUNT = 2_000
/** Few enough for the server's table of locks. */
const CHUNK = 500
const HELD = 500
const FILES = {
  '1_loans.sql': 'create table loans ()',
  '2_fees.sql': 'create table fees ()',
}

/** As many tenants as that, which have a ledger and no other table. */
async function copyLedger(prefix: string): Promise<void> {
  await database.admin.query(
    `insert into shared_${prefix}.tenantry_tenants (slug, name, schema)
     select 'n' || i, 'n', '${prefix}n' || i from generate_series(2, ${COUNT}) i`,
  )
  await database.admin.query(
    `do $$ declare note text := obj_description('${prefix}first.migrations'::regclass, 'pg_class');
     begin for i in 2..${COUNT} loop
       execute format('create schema %1$I create table migrations (id int, name varchar(100), hash varchar(40))', '${prefix}n' || i);
       execute format('comment on table %I.migrations is %L', '${prefix}n' || i, note);
       if i % ${CHUNK} = 0 then commit; end if;
     end loop; end $$`,
  )
}

describe('migrations.statuses of thousands of schemas', () => {
  it('holds the states of a few hundred at a time, and reads no ledger', async () => {
    const prefix = database.prefix()
    const schemas = await migrations.fleet(prefix, { tenants: FILES })
    await new SchemaRouter({ pool: database.pool(), schemas }).tenants.create({ slug: 'first' })
    await copyLedger(prefix)
    const pool = database.pool({ max: 1 })
    const asked = countStates(pool)
    const counter = countQueries(pool)
    const router = new SchemaRouter({ pool, schemas })
    let seen = 0
    let current = 0
    let ahead = 0
    for await (const status of router.migrations.statuses({ select: select.tenants() })) {
      seen += 1
      if (status.version === 2 && status.pending.length === 0) current += 1
      ahead = Math.max(ahead, asked.reduce((sum, size) => sum + size, 0) - seen)
    }
    expect({ seen, current }).toEqual({ seen: COUNT, current: COUNT })
    // What was read and not yet taken, never the fleet.
    expect(ahead).toBe(HELD - 1)
    expect(counter.queries).toBe(COUNT / HELD + 1)
  })
})
