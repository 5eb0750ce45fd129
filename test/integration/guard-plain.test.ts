import { SchemaRouter, select } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type MigrationFiles, useMigrationFolders } from '../support/migration-folder.js'

const database = useDatabase()
const migrations = useMigrationFolders()

interface Setup {
  readonly prefix: string
  readonly other: string
  router(tenants: MigrationFiles): Promise<SchemaRouter>
}

/** A schema with a function whose name does not tell that it drops something. */
async function setUp(drops: (other: string) => string): Promise<Setup> {
  const prefix = database.prefix()
  const other = `other_${prefix}`
  await database.admin.query(
    `create schema ${other}; create table ${other}.rates (id int);
     create function ${other}.rate() returns int language sql as 'select 1';
     create function ${other}.tidy() returns int language plpgsql as
       $$ begin execute '${drops(other)}'; return 1; end $$`,
  )
  return {
    prefix,
    other,
    router: async (tenants) =>
      new SchemaRouter({
        pool: database.pool(),
        schemas: await migrations.fleet(prefix, { tenants }),
      }),
  }
}

const FIRST = {
  '1_loans.sql': 'create table loans (id int); create table scratch (id int)',
  '2_one.sql': 'insert into loans values (1)',
}
const tidy = (other: string): MigrationFiles => ({
  ...FIRST,
  '3_tidy.sql': `select ${other}.tidy()`,
})

const ELSEWHERE: readonly (readonly [string, string, (other: string) => string])[] = [
  ['a table', 'rates', (other) => `drop table ${other}.rates`],
  ['a function', 'rate', (other) => `drop function ${other}.rate()`],
  ['a schema and all that is in it', 'rates', (other) => `drop schema ${other} cascade`],
]

describe('the guard, where no text tells that something is dropped', () => {
  it.each(ELSEWHERE)(
    'takes a new tenant back that drops %s elsewhere',
    async (_what, name, drops) => {
      const { other, router } = await setUp(drops)
      const grown = await router(tidy(other))
      await expect(grown.tenants.create({ slug: 'acme' })).rejects.toMatchObject({
        code: 'MIGRATION_ESCAPED',
        candidates: expect.arrayContaining([`${other}.${name}`]),
      })
      expect(await grown.tenants.find('acme')).toBeUndefined()
    },
  )

  it.each(ELSEWHERE)('takes a schema back that drops %s elsewhere', async (_what, name, drops) => {
    const { other, router } = await setUp(drops)
    const first = await router(FIRST)
    await first.tenants.create({ slug: 'acme' })
    const grown = await router(tidy(other))
    await expect(grown.migrations.up({ select: select.tenants() })).rejects.toMatchObject({
      code: 'MIGRATION_RUN_FAILED',
      cause: {
        code: 'MIGRATION_ESCAPED',
        candidates: expect.arrayContaining([`${other}.${name}`]),
      },
    })
  })

  it('lets a new tenant drop what is its own, and runs nothing twice', async () => {
    const { prefix, other, router } = await setUp(() => 'drop table scratch')
    const grown = await router(tidy(other))
    await grown.tenants.create({ slug: 'acme' })
    const { rows } = await database.admin.query(
      `select (select count(*)::int from ${prefix}acme.loans) as loans,
         (select count(*)::int from ${prefix}acme.migrations) as noted,
         to_regclass('${prefix}acme.scratch') as scratch`,
    )
    expect(rows).toEqual([{ loans: 1, noted: 4, scratch: null }])
  })
})
