import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Query } from 'pg'
import { SchemaRouter, select } from 'tenantry'
import type { Migration, MigrationFunction, MigrationSource } from 'tenantry/migrate'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'

const database = useDatabase()

type Step = string | MigrationFunction | Required<Migration>['code']

/** A set of SQL texts and functions, numbered from 1. */
function source(...steps: readonly Step[]): MigrationSource {
  const migrations = steps.map((step, index): Migration => {
    const id = index + 1
    const hash = createHash('sha1').update(String(id)).digest('hex')
    const base = { id, name: `step-${id}`, fileName: `${id}_step.ts`, hash, sql: '' }
    if (typeof step === 'string') return { ...base, sql: step }
    return { ...base, code: typeof step === 'function' ? { up: step } : step }
  })
  return { origin: 'test', load: () => Promise.resolve(migrations) }
}

interface Setup {
  readonly prefix: string
  migrate(...steps: readonly Step[]): SchemaRouter
}

async function setUp(...slugs: readonly string[]): Promise<Setup> {
  const prefix = database.prefix()
  const migrate = (...steps: readonly Step[]): SchemaRouter =>
    new SchemaRouter({
      pool: database.pool(),
      schemas: {
        shared: { name: `shared_${prefix}` },
        tenants: { prefix, migrations: source(...steps) },
      },
    })
  const router = migrate('create table loans (id int)')
  for (const slug of slugs) await router.tenants.create({ slug })
  return { prefix, migrate }
}

const FIRST = 'create table loans (id int)'
const TENANTS = { select: select.tenants() }

describe('a migration in code', () => {
  it('runs between SQL files, in the schema and the transaction of its tenant', async () => {
    const { prefix, migrate } = await setUp('acme', 'beta')
    const router = migrate(
      FIRST,
      'alter table loans add column owner text',
      async (db, { tenant }) => {
        await db.query('insert into loans values (1, $1)', [tenant])
      },
      'alter table loans alter column owner set not null',
    )
    const { outcomes } = await router.migrations.up(TENANTS)
    expect(outcomes.map(({ status, atomic }) => [status, atomic])).toEqual([
      ['done', undefined],
      ['done', undefined],
    ])
    for (const slug of ['acme', 'beta']) {
      const { rows } = await database.admin.query(`select * from ${prefix}${slug}.loans`)
      expect(rows).toEqual([{ id: 1, owner: slug }])
    }
  })

  it('takes everything of the schema back when it throws', async () => {
    const { prefix, migrate } = await setUp('acme')
    const router = migrate(FIRST, 'create table fees ()', async (db) => {
      await db.query('insert into loans values (1)')
      throw new Error('no such rate')
    })
    await expect(router.migrations.up(TENANTS)).rejects.toMatchObject({
      report: {
        outcomes: [
          { status: 'failed', error: { code: 'MIGRATION_FAILED', migration: '3_step.ts' } },
        ],
      },
    })
    const { rows } = await database.admin.query(
      `select to_regclass('${prefix}acme.fees') as fees, (select count(*)::int from ${prefix}acme.loans) as loans`,
    )
    expect(rows).toEqual([{ fees: null, loans: 0 }])
  })

  it('has a client that is closed afterwards and that cannot end the transaction', async () => {
    const { migrate } = await setUp('acme')
    let kept: Parameters<MigrationFunction>[0] | undefined
    let refused: unknown
    const router = migrate(FIRST, async (db) => {
      kept = db
      refused = await Promise.resolve()
        .then(() => db.query('commit'))
        .catch((error: unknown) => error)
    })
    await router.migrations.up(TENANTS)
    expect(refused).toMatchObject({ code: 'STATEMENT_REFUSED' })
    expect(() => kept?.query('select 1')).toThrow(expect.objectContaining({ code: 'SCOPE_CLOSED' }))
  })

  it('has a client that takes a query in every form of pg, and none that it cannot read', async () => {
    const { prefix, migrate } = await setUp('acme')
    const odd: readonly unknown[] = [undefined, 7, {}, { text: 7 }, { text: 'commit' }]
    const refused: unknown[] = []
    const router = migrate(FIRST, async (db) => {
      await db.query({ text: 'insert into loans values ($1)', values: [1] })
      const query = new Query('insert into loans values (2)')
      db.query(query)
      await once(query, 'end')
      for (const each of odd) {
        await Promise.resolve()
          .then(() => db.query(each as string))
          .catch((error: unknown) => refused.push(error))
      }
    })
    await router.migrations.up(TENANTS)
    expect(refused).toMatchObject(odd.map(() => ({ code: 'STATEMENT_REFUSED' })))
    const { rows } = await database.admin.query(`select id from ${prefix}acme.loans order by id`)
    expect(rows).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('runs when a tenant is created, and is watched by the guard', async () => {
    const { prefix, migrate } = await setUp()
    const router = migrate(FIRST, (db) => db.query('insert into loans values (7)'))
    await router.tenants.create({ slug: 'acme' })
    const { rows } = await database.admin.query(`select * from ${prefix}acme.loans`)
    expect(rows).toEqual([{ id: 7 }])
    const bad = migrate(FIRST, (db) => db.query('create schema elsewhere'))
    await expect(bad.tenants.create({ slug: 'beta' })).rejects.toMatchObject({
      code: 'MIGRATION_ESCAPED',
    })
  })

  it('is taken back by its own reverse', async () => {
    const { prefix, migrate } = await setUp('acme')
    const router = migrate(FIRST, {
      up: (db) => db.query('create table fees ()'),
      down: (db) => db.query('drop table fees'),
    })
    await router.migrations.up(TENANTS)
    const { outcomes } = await router.migrations.down(TENANTS)
    expect(outcomes).toMatchObject([{ status: 'done', applied: ['2_step.ts'] }])
    const { rows } = await database.admin.query(`select to_regclass('${prefix}acme.fees') as fees`)
    expect(rows).toEqual([{ fees: null }])
  })
})
