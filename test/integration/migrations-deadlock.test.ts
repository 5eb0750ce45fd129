import { type RunEvent, SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const FIRST = { '1_loans.sql': 'create table loans (id int)' }

/**
 * Locks two tables, in another order in the schema of acme. Each of the first two attempts waits for
 * the other one between the two; a number of a sequence is not taken back.
 */
const crossing = (other: string): string => `
  do $$ declare mine text := 'one'; theirs text := 'two'; begin
    if current_schema() like '%acme' then mine := 'two'; theirs := 'one'; end if;
    execute 'lock table ${other}.' || mine;
    if nextval('${other}.attempts') <= 2 then
      while not exists (select from pg_locks where granted and pid <> pg_backend_pid()
        and relation = ('${other}.' || theirs)::regclass and mode = 'AccessExclusiveLock')
      loop perform pg_sleep(0.01); end loop;
    end if;
    execute 'lock table ${other}.' || theirs;
    insert into loans values (1);
  end $$`

describe('migrations.up of schemas that run into a deadlock', () => {
  it('tries the one again that the server chose, and migrates both', async () => {
    const prefix = database.prefix()
    const other = `other_${prefix}`
    await database.admin.query(
      `create schema ${other}; create sequence ${other}.attempts;
       create table ${other}.one (); create table ${other}.two ()`,
    )
    const old = await migrations.fleet(prefix, { tenants: FIRST })
    const router = new SchemaRouter({ pool: database.pool(), schemas: old })
    for (const slug of ['acme', 'beta']) await router.tenants.create({ slug })
    const grown = new SchemaRouter({
      pool: database.pool({ options: '-c deadlock_timeout=50ms' }),
      schemas: await migrations.fleet(prefix, {
        tenants: { ...FIRST, '2_cross.sql': crossing(other) },
      }),
    })
    const events: RunEvent[] = []
    const { outcomes } = await grown.migrations.up({
      select: select.tenants(),
      guard: { allow: [other] },
      lint: false,
      onEvent: (event) => events.push(event),
    })
    expect(outcomes).toMatchObject([
      { tenant: 'acme', status: 'done', applied: ['2_cross.sql'] },
      { tenant: 'beta', status: 'done', applied: ['2_cross.sql'] },
    ])
    expect(outcomes.map(({ attempts }) => attempts).toSorted((a, b) => a - b)).toEqual([1, 2])
    expect(events.filter(({ type }) => type === 'retried')).toMatchObject([
      { attempt: 1, error: { code: 'MIGRATION_FAILED', sqlState: '40P01' } },
    ])
    const { rows } = await database.admin.query(
      `select (select count(*)::int from ${prefix}acme.loans) as acme,
         (select count(*)::int from ${prefix}beta.loans) as beta`,
    )
    expect(rows).toEqual([{ acme: 1, beta: 1 }])
  })
})
