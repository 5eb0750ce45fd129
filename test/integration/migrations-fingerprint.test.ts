import { SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { countQueries } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const SET = { '1_loans.sql': 'create table loans ()', '2_fees.sql': 'create table fees ()' }
const COUNT = 150

interface Setup {
  readonly prefix: string
  readonly router: SchemaRouter
  readonly counter: { queries: number }
}

/** One tenant that was created, and the schemas of many others made after it. */
async function setUp(): Promise<Setup> {
  const prefix = database.prefix()
  const schemas = await migrations.fleet(prefix, { tenants: SET })
  const pool = database.pool()
  const counter = countQueries(pool)
  const router = new SchemaRouter({ pool, schemas })
  await router.tenants.create({ slug: 'first' })
  await database.admin.query(
    `do $$ declare note text := obj_description('${prefix}first.migrations'::regclass);
     begin for i in 1..${COUNT} loop
       execute format('create schema %I', '${prefix}n' || i);
       execute format('create table %I.migrations as table ${prefix}first.migrations', '${prefix}n' || i);
       execute format('comment on table %I.migrations is %L', '${prefix}n' || i, note);
     end loop; end $$`,
  )
  await database.admin.query(
    `insert into shared_${prefix}.tenantry_tenants (slug, name, schema)
     select 'n' || i, 'n', '${prefix}n' || i from generate_series(1, ${COUNT}) i`,
  )
  counter.queries = 0
  return { prefix, router, counter }
}

describe('the comment on a ledger', () => {
  it('lets status answer for any number of schemas in two queries', async () => {
    const { router, counter } = await setUp()
    const statuses = await router.migrations.status({ select: select.tenants() })
    expect(statuses).toHaveLength(COUNT + 1)
    expect(statuses.every(({ version, pending }) => version === 2 && pending.length === 0)).toBe(
      true,
    )
    expect(counter.queries).toBe(2)
  })

  it('lets a run that has nothing to do end after three queries', async () => {
    const { router, counter } = await setUp()
    await router.migrations.up()
    counter.queries = 0
    const { outcomes } = await router.migrations.up()
    expect(outcomes.every(({ status }) => status === 'current')).toBe(true)
    expect(counter.queries).toBe(3)
  })

  it('is written in the transaction of the migrations, also onto an adopted ledger', async () => {
    const { prefix, router } = await setUp()
    await database.admin.query(`comment on table ${prefix}n1.migrations is null`)
    const grown = await migrations.fleet(prefix, {
      tenants: { ...SET, '3_notes.sql': 'create table notes ()' },
    })
    await new SchemaRouter({ pool: database.pool(), schemas: grown }).migrations.up({
      select: select.names('n1', 'n2'),
    })
    const { rows } = await database.admin.query(
      `select obj_description(($1 || each || '.migrations')::regclass) as note
       from unnest(array['n1', 'n2']) each`,
      [prefix],
    )
    expect(rows[0]).toEqual(rows[1])
    expect(rows[0]).toMatchObject({
      note: expect.stringMatching(/^tenantry ledger 1: head=3 count=4 hash=[0-9a-f]{40}$/),
    })
    await router.close()
  })

  it('is not believed when it fits no beginning of the set: then the ledger is read', async () => {
    const { prefix, router } = await setUp()
    await database.admin.query(
      `comment on table ${prefix}n1.migrations is 'tenantry ledger 1: head=1 count=2 hash=x';
       comment on table ${prefix}n2.migrations is 'tables of ours'`,
    )
    const statuses = await router.migrations.status({ select: select.names('n1', 'n2') })
    expect(statuses).toMatchObject([{ version: 2 }, { version: 2 }])
  })

  it('is not asked for with deep', async () => {
    const { prefix, router } = await setUp()
    await database.admin.query(`update ${prefix}n1.migrations set hash = 'another' where id = 1`)
    const only = { select: select.names('n1') }
    expect(await router.migrations.status(only)).toMatchObject([{ pending: [] }])
    expect(await router.migrations.status({ ...only, deep: true })).toMatchObject([
      { problem: { code: 'MIGRATION_TAMPERED' } },
    ])
  })
})
