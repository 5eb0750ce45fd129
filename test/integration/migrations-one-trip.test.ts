import { SchemaRouter, type UpOptions, isTenantryError, select } from 'tenantry'
import type { RunReport } from 'tenantry'
import type { Pool, PoolConfig } from 'pg'
import { describe, expect, it } from 'vitest'
import { countQueries } from '../support/count-queries.js'
import { useDatabase } from '../support/database.js'
import { type FleetSchemas, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const FIRST = { '1_loans.sql': 'create table loans (id int primary key, amount int)' }
const SLUGS = ['acme', 'beta', 'gamma']

interface UpResult {
  readonly report: RunReport
  readonly queries: number
  readonly pool: Pool
}

interface Setup {
  readonly prefix: string
  /** Runs more files in all tenants, and counts what the pool is asked for. */
  up(more: readonly string[], options?: UpOptions): Promise<UpResult>
}

/** Three tenants beside a schema `other_…` that is on their paths. */
async function setUp(poolConfig: PoolConfig = {}): Promise<Setup> {
  const prefix = database.prefix()
  const other = `other_${prefix}`
  await database.admin.query(`create schema ${other}; create table ${other}.rates (id int)`)
  const schemasOf = async (tenants: Record<string, string>): Promise<FleetSchemas> => {
    const schemas = await migrations.fleet(prefix, { tenants })
    return { ...schemas, tenants: { ...schemas.tenants, searchPath: [other] } }
  }
  const router = new SchemaRouter({ pool: database.pool(), schemas: await schemasOf(FIRST) })
  for (const slug of SLUGS) await router.tenants.create({ slug })
  return {
    prefix,
    up: async (more, options) => {
      const added = more.map((sql, index) => [`${index + 2}_more_${index}.sql`, sql])
      const pool = database.pool(poolConfig)
      const counter = countQueries(pool)
      const schemas = await schemasOf({ ...FIRST, ...Object.fromEntries(added) })
      const report = await new SchemaRouter({ pool, schemas }).migrations
        .up({ select: select.tenants(), ...options })
        .catch((error: unknown) => {
          if (isTenantryError(error, 'MIGRATION_RUN_FAILED')) return error.report as RunReport
          throw error
        })
      return { report, queries: counter.queries, pool }
    },
  }
}

/** What a run asks besides its schemas: tenants, states, and tenants that have come since. */
const READS = 3

const statuses = ({ outcomes }: RunReport): unknown => outcomes.map(({ status }) => status)

describe('a schema that needs ordinary migrations', () => {
  it('is migrated in one round trip, whatever their number', async () => {
    const { up } = await setUp()
    const { report, queries } = await up(['alter table loans add fee int', 'create table fees ()'])
    expect(statuses(report)).toEqual(['done', 'done', 'done'])
    expect(queries).toBe(READS + SLUGS.length)
  })

  it('sees what another run did while it waited, whatever isolation is the default', async () => {
    const { up } = await setUp({ options: '-c default_transaction_isolation=serializable' })
    const runs = await Promise.all([1, 2, 3].map(() => up(['alter table loans add fee int'])))
    const all = runs.flatMap(({ report }) => report.outcomes.map(({ status }) => status))
    expect(all.filter((status) => status === 'done')).toHaveLength(SLUGS.length)
    expect(all).not.toContain('failed')
  })

  it('names migration, line and statement of a failure, and keeps nothing', async () => {
    const { prefix, up } = await setUp()
    const { report } = await up(['create table fees ()', '-- ä𝄞\n\nupdate loans set fee = 1'])
    expect(report.outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: `${prefix}acme`,
      migration: '3_more_1.sql',
      line: 3,
      statement: 'update loans set fee = 1',
      sqlState: '42703',
    })
    const { rows } = await database.admin.query(`select to_regclass($1) as fees`, [
      `${prefix}acme.fees`,
    ])
    expect(rows).toEqual([{ fees: null }])
  })

  it('names the migration of an error that only the commit brings', async () => {
    const { prefix, up } = await setUp()
    const { report } = await up([
      `alter table loans add constraint once unique (amount) deferrable initially deferred;
       insert into loans values (1, 1), (2, 1)`,
    ])
    expect(report.outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      schema: `${prefix}acme`,
      sqlState: '23505',
    })
    const { rows } = await database.admin.query(`select count(*)::int from ${prefix}acme.loans`)
    expect(rows).toEqual([{ count: 0 }])
  })

  it('is taken back when a bare name leads out of it', async () => {
    const { prefix, up } = await setUp()
    const { report } = await up(['insert into rates values (1)'])
    expect(report.outcomes[0]?.error).toMatchObject({
      code: 'MIGRATION_ESCAPED',
      schema: `${prefix}acme`,
      candidates: [`other_${prefix}.rates`],
    })
    const { rows } = await database.admin.query(`select from other_${prefix}.rates`)
    expect(rows).toEqual([])
  })

  it('is taken back when a trigger of its own leads out of it', async () => {
    const { prefix, up } = await setUp()
    await database.admin.query(
      `create function ${prefix}acme.leak() returns trigger language plpgsql as $$ begin
         insert into other_${prefix}.rates values (new.id); return new; end $$;
       create trigger leak after insert on ${prefix}acme.loans
         for each row execute function ${prefix}acme.leak()`,
    )
    const { report } = await up(['insert into loans values (1)'])
    expect(report.outcomes[0]?.error).toMatchObject({ code: 'MIGRATION_ESCAPED' })
    expect(statuses(report)).toEqual(['failed', 'done', 'done'])
  })

  it('is taken back when a function of its own drops something elsewhere', async () => {
    const { prefix, up } = await setUp()
    await database.admin.query(
      `create function ${prefix}beta.tidy() returns int language plpgsql as $$ begin
         drop table if exists other_${prefix}.rates; return 1; end $$;
       create function ${prefix}acme.tidy() returns int language sql as 'select 1';
       create function ${prefix}gamma.tidy() returns int language sql as 'select 1'`,
    )
    const { report } = await up(['select tidy()'])
    expect(statuses(report)).toEqual(['done', 'failed', 'done'])
    expect(report.outcomes[1]?.error).toMatchObject({
      code: 'MIGRATION_ESCAPED',
      candidates: [`other_${prefix}.rates`],
    })
  })

  it('may have its tables written anew, and may drop what is its own', async () => {
    const { up } = await setUp()
    const { report } = await up([
      'alter table loans add at timestamptz default clock_timestamp()',
      'create table fees (id int primary key); drop table fees',
    ])
    expect(statuses(report)).toEqual(['done', 'done', 'done'])
  })

  it('may hold what it is allowed to, and names with dots', async () => {
    const { prefix, up } = await setUp()
    const allowed = { guard: { allow: [`other_${prefix}`] } }
    const { report } = await up(
      ['insert into rates values (1)', 'create table "a.b" (id int); create index on "a.b" (id)'],
      allowed,
    )
    expect(statuses(report)).toEqual(['done', 'done', 'done'])
  })

  it('is left to the one who is at work in it outside of a transaction', async () => {
    const { up } = await setUp()
    const calls = await Promise.all([
      up(['create index concurrently slow on loans (amount)', 'alter table loans add fee int']),
      up(['create index concurrently slow on loans (amount)', 'alter table loans add fee int']),
    ])
    const failed = calls.flatMap(({ report }) =>
      report.outcomes.filter(({ status }) => status === 'failed'),
    )
    expect(failed).toEqual([])
  })

  it('gives its client back with the path that it came with', async () => {
    const { up } = await setUp({ max: 1, options: '-c search_path=pg_temp' })
    const { pool } = await up(['alter table loans add fee int'])
    const { rows } = await pool.query('show search_path')
    expect(rows).toEqual([{ search_path: 'pg_temp' }])
  })
})
