import { type GuardOption, SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

const ESCAPED = { code: 'MIGRATION_ESCAPED' }

interface Setup {
  readonly prefix: string
  readonly other: string
  /** A router whose tenants note themselves in another schema. */
  router(guard?: (other: string) => GuardOption): Promise<SchemaRouter>
  /** How many tenants have done so. */
  noted(): Promise<number>
}

async function setUp(): Promise<Setup> {
  const prefix = database.prefix()
  const other = `other_${prefix}`
  await database.admin.query(`create schema ${other}; create table ${other}.log (who text)`)
  const files = {
    '1_loans.sql': 'create table loans (id int)',
    '2_log.sql': `insert into ${other}.log values (current_schema())`,
    'down/2_log.sql': `delete from ${other}.log where who = current_schema()`,
  }
  return {
    prefix,
    other,
    router: async (guard) =>
      new SchemaRouter({
        pool: database.pool(),
        schemas: await migrations.fleet(prefix, { tenants: files }),
        ...(guard && { guard: guard(other) }),
      }),
    noted: async () => {
      const { rows } = await database.admin.query(`select who from ${other}.log`)
      return rows.length
    },
  }
}

const ALLOWED = (other: string): GuardOption => ({ allow: [other] })
const TENANTS = { select: select.tenants(), lint: false } as const

describe('the guard of a router', () => {
  it('keeps a new tenant to its schema when nothing is said, and makes nothing of it', async () => {
    const { prefix, router, noted } = await setUp()
    const strict = await router()
    await expect(strict.tenants.create({ slug: 'acme' })).rejects.toMatchObject(ESCAPED)
    expect(await strict.tenants.find('acme')).toBeUndefined()
    expect(await noted()).toBe(0)
    const { rows } = await database.admin.query(`select to_regnamespace($1) as made`, [
      `${prefix}acme`,
    ])
    expect(rows).toEqual([{ made: null }])
  })

  it.each<readonly [string, (other: string) => GuardOption]>([
    ['a list of schemas', ALLOWED],
    ['false', () => false],
  ])('lets new tenants and copies of them do what is allowed by %s', async (_what, guard) => {
    const { router, noted } = await setUp()
    const lenient = await router(guard)
    await lenient.tenants.create({ slug: 'acme' })
    await lenient.tenants.clone('acme', { slug: 'copy' })
    expect(await noted()).toBe(2)
  })

  it('leaves what a hook has touched before to the hook', async () => {
    const { prefix, other } = await setUp()
    const router = new SchemaRouter({
      pool: database.pool(),
      schemas: await migrations.fleet(prefix, {
        tenants: { '1_loans.sql': 'create table loans (id int)' },
      }),
      hooks: {
        beforeMigrate: async ({ db, tenant }) => {
          await db.query(`insert into ${other}.log values ($1)`, [tenant?.slug])
        },
      },
    })
    await router.tenants.create({ slug: 'acme' })
    const { rows } = await database.admin.query(`select who from ${other}.log`)
    expect(rows).toEqual([{ who: 'acme' }])
  })

  it('holds for up, down and redo, where their own guard takes its place', async () => {
    const { router, noted } = await setUp()
    const lenient = await router(ALLOWED)
    await lenient.tenants.create({ slug: 'acme' })
    await lenient.migrations.redo(TENANTS)
    await lenient.migrations.down(TENANTS)
    expect(await noted()).toBe(0)
    const strict = lenient.migrations.up({ ...TENANTS, guard: { allow: [] } })
    await expect(strict).rejects.toMatchObject({
      report: { outcomes: [{ status: 'failed', error: ESCAPED }] },
    })
    await lenient.migrations.up(TENANTS)
    expect(await noted()).toBe(1)
  })

  it('gives way to a run that looks at nothing', async () => {
    const { router, noted } = await setUp()
    const lenient = await router(ALLOWED)
    await lenient.tenants.create({ slug: 'acme' })
    const strict = await router()
    await expect(strict.migrations.down(TENANTS)).rejects.toMatchObject({
      code: 'MIGRATION_RUN_FAILED',
    })
    await strict.migrations.down({ ...TENANTS, guard: false })
    expect(await noted()).toBe(0)
  })

  it('tells the linter before a run what may be written to by name', async () => {
    const { router, noted } = await setUp()
    const lenient = await router(ALLOWED)
    await lenient.tenants.create({ slug: 'acme' })
    await lenient.migrations.down({ select: select.tenants() })
    await lenient.migrations.up({ select: select.tenants(), lint: 'error' })
    expect(await noted()).toBe(1)
  })
})
