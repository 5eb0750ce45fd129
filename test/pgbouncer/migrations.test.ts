import { SchemaRouter, isTenantryError, select } from 'tenantry'
import { type MigrationBridge, code } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'
import { findPgBouncer, startPgBouncer } from '../support/pgbouncer.js'

const program = await findPgBouncer()
const database = useDatabase()
const folders = useMigrationFolders()

const FIRST = { '1_loans.sql': 'create table loans (id int primary key)' }
const TENANTS = { select: select.tenants() }

interface Fleet {
  readonly prefix: string
  /** A router behind the pooler; the tenants' migrations may be those of a later version. */
  router(
    migrations: MigrationFiles | MigrationBridge | ReturnType<typeof code>,
  ): Promise<SchemaRouter>
}

/** Runs `fn` behind a PgBouncer in transaction mode. */
async function behind(
  scope: 'session' | undefined,
  fn: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  if (program === undefined) throw new Error('There is no PgBouncer.')
  const mode = scope ?? 'transaction'
  await using pooler = await startPgBouncer({ program, url: database.url, mode, size: 3 })
  const prefix = database.prefix()
  const pool = database.pool({ connectionString: pooler.url, max: 3 })
  pool.on('error', () => {})
  const router: Fleet['router'] = async (given) => {
    const isSource = 'kind' in given || 'load' in given
    const migrations = isSource ? given : await folders.folder(given)
    const schemas = {
      shared: { name: `shared_${prefix}` },
      tenants: { prefix, migrations: migrations as string },
    }
    return new SchemaRouter({ pool, schemas, ...(scope && { scope: { pooler: scope } }) })
  }
  try {
    await fn({ prefix, router })
  } finally {
    await pool.end()
  }
}

async function failuresOf(run: Promise<unknown>): Promise<unknown> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isTenantryError(error, 'MIGRATION_RUN_FAILED')) throw error
  const { outcomes = [] } = (error.report ?? {}) as {
    outcomes?: readonly { readonly status: string; readonly error?: unknown }[]
  }
  return outcomes.map(({ error: reason }) => (isTenantryError(reason) ? reason.code : reason))
}

async function versionsOf(router: SchemaRouter): Promise<readonly number[]> {
  const statuses = await router.migrations.status({ ...TENANTS, deep: true })
  return statuses.map(({ version }) => version)
}

describe.skipIf(program === undefined)('migrations behind PgBouncer in transaction mode', () => {
  it('run as they do without it, there and back, each schema in its transaction', async () => {
    await behind(undefined, async ({ prefix, router }) => {
      const old = await router(FIRST)
      await old.migrations.up()
      await Promise.all(['acme', 'beta'].map((slug) => old.tenants.create({ slug })))
      const more = {
        ...FIRST,
        '2_fees.sql': `set statement_timeout = '5s'; create table fees (loan int references loans)`,
        '3_kind.sql': `create type kind as enum ('a'); create function f() returns int
          language sql as 'select 1'`,
        'down/3_kind.sql': 'drop type kind; drop function f',
      }
      const late = await router(more)
      const { outcomes } = await late.migrations.up(TENANTS)
      expect(outcomes.map(({ status, attempts }) => [status, attempts])).toEqual([
        ['done', 1],
        ['done', 1],
      ])
      const { rows } = await database.admin.query(
        `select schemaname || '.' || tablename as name from pg_tables
         where tablename = 'fees' order by 1`,
      )
      expect(rows).toEqual([{ name: `${prefix}acme.fees` }, { name: `${prefix}beta.fees` }])
      expect((await late.migrations.up(TENANTS)).outcomes.map(({ status }) => status)).toEqual([
        'current',
        'current',
      ])
      await late.migrations.down(TENANTS)
      expect(await versionsOf(late)).toEqual([2, 2])
    })
  })

  it('run code in the schema’s transaction', async () => {
    await behind(undefined, async ({ prefix, router }) => {
      const seen: unknown[] = []
      const made = await router(
        code([
          {
            name: 'loans',
            up: async (db) => {
              await db.query('create table loans (id int)')
              seen.push((await db.query('select current_schema() as name')).rows[0]?.name)
            },
          },
        ]),
      )
      await made.migrations.up()
      await made.tenants.create({ slug: 'acme' })
      expect(seen).toEqual([`${prefix}acme`])
      expect(await versionsOf(made)).toEqual([1])
    })
  })

  it('refuse a file that needs a session, and keep what ran before it', async () => {
    await behind(undefined, async ({ router }) => {
      await (await router(FIRST)).tenants.create({ slug: 'acme' })
      const late = await router({
        ...FIRST,
        '2_fees.sql': 'create table fees ()',
        '3_index.sql': 'create index concurrently again on loans (id)',
      })
      expect(await failuresOf(late.migrations.up(TENANTS))).toEqual(['POOLER_IN_BETWEEN'])
      expect(await versionsOf(late)).toEqual([2])
      // A schema that nobody has seen yet is made in one transaction, whatever is in the files.
      await late.tenants.create({ slug: 'beta' })
      expect(await versionsOf(late)).toEqual([2, 3])
    })
  })

  it('refuse a bridge, which needs a session', async () => {
    await behind(undefined, async ({ router }) => {
      await (await router(FIRST)).tenants.create({ slug: 'acme' })
      let calls = 0
      const count = async (): Promise<readonly string[]> => {
        calls += 1
        return []
      }
      const tool = { kind: 'bridge', origin: 'A tool', up: count, pending: count } as const
      const bridged = await router(tool)
      expect(await failuresOf(bridged.migrations.up(TENANTS))).toEqual(['POOLER_IN_BETWEEN'])
      const [status] = await bridged.migrations.status(TENANTS)
      expect(status?.problem).toMatchObject({ code: 'POOLER_IN_BETWEEN' })
      expect(calls).toBe(0)
    })
  })
})

describe.skipIf(program === undefined)('migrations behind PgBouncer in session mode', () => {
  it('run also what needs a session, when the router is told', async () => {
    await behind('session', async ({ router }) => {
      await (await router(FIRST)).tenants.create({ slug: 'acme' })
      const late = await router({
        ...FIRST,
        '2_index.sql': 'create index concurrently again on loans (id)',
      })
      await late.migrations.up(TENANTS)
      expect(await versionsOf(late)).toEqual([2])
    })
  })
})
