import { type Generated, Kysely, PostgresDialect, sql } from 'kysely'
import Cursor from 'pg-cursor'
import { tenantDialect } from 'tenantry/kysely'
import { type OrmNotes, type TestedOrm, testOrmAdapter } from 'tenantry/testing'
import { describe, expect, it } from 'vitest'
import { useRouter } from './router.js'

interface Tables {
  notes: { id: Generated<number>; body: string }
}

const opened = useRouter()

function make(schemas: readonly string[] = []): Kysely<Tables> {
  const dialect = tenantDialect(
    opened.router,
    (pool) => new PostgresDialect({ pool, cursor: Cursor }),
    { schemas },
  )
  return new Kysely<Tables>({ dialect })
}

function notesOf(db: Kysely<Tables>): OrmNotes {
  return {
    add: (body) => db.insertInto('notes').values({ body }).execute(),
    bodies: async () => {
      const rows = await db.selectFrom('notes').select('body').execute()
      return rows.map(({ body }) => body)
    },
    change: (from, to) =>
      db.updateTable('notes').set({ body: to }).where('body', '=', from).execute(),
    remove: (body) => db.deleteFrom('notes').where('body', '=', body).execute(),
    raw: async (text) => (await sql.raw<object>(text).execute(db)).rows,
  }
}

function ormOf(db: Kysely<Tables>): TestedOrm {
  return {
    ...notesOf(db),
    async transaction(work) {
      const tx = await db.startTransaction().execute()
      const nested: Parameters<typeof work>[0]['nested'] = async (inside) => {
        const saved = await tx.savepoint('inner').execute()
        try {
          await inside(notesOf(saved))
        } catch (error) {
          await saved.rollbackToSavepoint('inner').execute()
          throw error
        }
        await saved.releaseSavepoint('inner').execute()
      }
      try {
        await work({ ...notesOf(tx), nested })
      } catch (error) {
        await tx.rollback().execute()
        throw error
      }
      await tx.commit().execute()
    },
    async *stream() {
      for await (const { body } of db.selectFrom('notes').select('body').stream(1)) yield body
    },
    refused: {
      withSchema: (schema) => db.withSchema(schema).selectFrom('notes').selectAll().execute(),
      'withSchema for an insert': (schema) =>
        db.withSchema(schema).insertInto('notes').values({ body: 'x' }).execute(),
      'withSchema without plugins': (schema) =>
        db.withoutPlugins().withSchema(schema).deleteFrom('notes').execute(),
      'table with a schema': (schema) => db.deleteFrom(`${schema}.notes` as 'notes').execute(),
      join: (schema) =>
        db
          .selectFrom('notes')
          .innerJoin(`${schema}.notes as o` as 'notes as o', 'o.id', 'notes.id')
          .select('o.body')
          .execute(),
      'sub-query': (schema) =>
        db
          .selectFrom('notes')
          .selectAll()
          .where('id', 'in', (eb) => eb.selectFrom(`${schema}.notes` as 'notes').select('id'))
          .execute(),
      'common table expression': (schema) =>
        db
          .with('o', (one) => one.selectFrom(`${schema}.notes` as 'notes').selectAll())
          .selectFrom('o')
          .selectAll()
          .execute(),
      'table in SQL text': (schema) =>
        sql`select * from ${sql.table(`${schema}.notes`)}`.execute(db),
      'in a transaction': (schema) =>
        db.transaction().execute((tx) => tx.withSchema(schema).deleteFrom('notes').execute()),
      stream: async (schema) => {
        for await (const row of db.withSchema(schema).selectFrom('notes').selectAll().stream()) {
          expect(row).toBeUndefined()
        }
      },
      'new schema': (schema) => db.schema.createTable(`${schema}.other`).execute(),
    },
  }
}

describe('kysely with tenantDialect', () => {
  testOrmAdapter({ test: it, open: () => ({ router: opened.router, orm: ormOf(make()) }) })
})

describe('tenantDialect', () => {
  it('commits and rolls back transactions that kysely ends by itself', async () => {
    const { router } = opened
    const db = make()
    await router.tenants.create({ slug: 'north' })
    await router.runAs('north', async () => {
      await sql`create table notes (id serial, body text)`.execute(db)
      await db.transaction().execute((tx) => notesOf(tx).add('kept'))
      const failed = db.transaction().execute(async (tx) => {
        await notesOf(tx).add('undone')
        throw new Error('It is not to be.')
      })
      await expect(failed).rejects.toThrow('It is not to be.')
      expect(await notesOf(db).bodies()).toEqual(['kept'])
    })
  })

  it('takes a value for a value, whatever it looks like', async () => {
    const body = { kind: 'SchemableIdentifierNode', schema: { name: 'other' } }
    const { rows } = await opened.router.runAs('north', () =>
      sql<{ body: unknown }>`select ${body}::jsonb as body`.execute(make()),
    )
    expect(rows).toEqual([{ body }])
  })

  it('lets statements name a schema that the option allows, and the catalogs', async () => {
    const db = make(['public'])
    const { rows } = await opened.router.runAs('north', () =>
      sql`select slug from ${sql.table('public.tenantry_tenants')}
            join ${sql.table('pg_catalog.pg_namespace')} on nspname = schema`.execute(db),
    )
    expect(rows).toEqual([{ slug: 'north' }])
  })

  it('refuses what is no dialect', () => {
    expect(() => tenantDialect(opened.router, (pool) => pool)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', option: 'make' }),
    )
  })
})
