import knex, { type Knex } from 'knex'
import { tenantKnex } from 'tenantry/knex'
import {
  type OrmNotes,
  type OrmTransaction,
  type TestedOrm,
  testOrmAdapter,
} from 'tenantry/testing'
import { describe, expect, it } from 'vitest'
import { useRouter } from './router.js'

const opened = useRouter()

function make(schemas: readonly string[] = []): Knex {
  return tenantKnex(
    opened.router,
    (connectionPool) => knex({ client: 'pg', connectionPool, log: { warn: () => {} } }),
    {
      schemas,
    },
  )
}

function notesOf(db: Knex): OrmNotes {
  return {
    add: (body) => Promise.resolve(db('notes').insert({ body })),
    bodies: () => Promise.resolve(db('notes').pluck<string[]>('body')),
    change: (from, to) => Promise.resolve(db('notes').where({ body: from }).update({ body: to })),
    remove: (body) => Promise.resolve(db('notes').where({ body }).delete()),
    raw: async (text) => (await db.raw<{ rows: object[] }>(text.replaceAll('?', '\\?'))).rows,
  }
}

const inside = (trx: Knex.Transaction): OrmTransaction => ({
  ...notesOf(trx),
  nested: (work) => trx.transaction((inner) => work(notesOf(inner))),
})

const refusedBy = (db: Knex): TestedOrm['refused'] => ({
  withSchema: (schema) => db.withSchema(schema).from('notes'),
  'table with a schema': (schema) => db(`${schema}.notes`),
  'table with an alias': (schema) => db(`${schema}.notes as n`),
  'object with an alias': (schema) => db.from({ n: `${schema}.notes` }),
  reference: (schema) => db.from(db.ref('notes').withSchema(schema)),
  insert: (schema) => db.withSchema(schema).into('notes').insert({ body: 'x' }),
  update: (schema) => db(`${schema}.notes`).update({ body: 'x' }),
  'update from': (schema) => db('notes').update({ body: 'x' }).updateFrom(`${schema}.notes as o`),
  delete: (schema) => db(`${schema}.notes`).delete(),
  'delete using': (schema) =>
    db('notes')
      .using([`${schema}.notes as o`])
      .delete(),
  truncate: (schema) => db(`${schema}.notes`).truncate(),
  join: (schema) => db('notes').join(`${schema}.notes as o`, 'o.id', 'notes.id').select('o.body'),
  'text of a join': (schema) => db('notes').joinRaw(`cross join "${schema}".notes as o`),
  'sub-query': (schema) => db('notes').whereIn('id', db(`${schema}.notes`).select('id')),
  'sub-query in a function': (schema) =>
    db('notes').whereExists((query) => {
      void query.from(`${schema}.notes`)
    }),
  'common table expression': (schema) => db.with('o', db(`${schema}.notes`)).from('o'),
  union: (schema) =>
    db('notes')
      .select('body')
      .union(db(`${schema}.notes`).select('body')),
  'in a transaction': (schema) => db.transaction((trx) => trx(`${schema}.notes`).delete()),
  'in an inner transaction': (schema) =>
    db.transaction((trx) => trx.transaction((inner) => inner.withSchema(schema).from('notes'))),
  'with parameters of the user': (schema) => db.withUserParams({}).withSchema(schema).from('notes'),
  'new table': (schema) => db.schema.createTable(`${schema}.other`, (table) => table.increments()),
  'schema of a change': (schema) => db.schema.withSchema(schema).dropTable('notes'),
  stream: async (schema) => {
    for await (const row of db(`${schema}.notes`).stream()) expect(row).toBeUndefined()
  },
})

describe('knex with tenantKnex', () => {
  testOrmAdapter({
    test: it,
    open: () => {
      const db = make()
      const orm: TestedOrm = {
        ...notesOf(db),
        transaction: (work) => db.transaction((trx) => work(inside(trx))),
        async *stream() {
          for await (const { body } of db('notes').select('body').stream()) yield body
        },
        refused: refusedBy(db) ?? {},
      }
      return { router: opened.router, orm }
    },
  })
})

describe('tenantKnex', () => {
  it('keeps the transaction of a provider with its tenant, and its isolation level', async () => {
    const { router } = opened
    const db = make()
    await router.tenants.create({ slug: 'north' })
    await router.runAs('north', async () => {
      await db.schema.createTable('notes', (table) => table.text('body'))
      const provide = db.transactionProvider({ isolationLevel: 'serializable' })
      const trx = await provide()
      await trx('notes').insert({ body: 'kept' })
      const shown = await trx.raw<{ rows: object[] }>('show transaction isolation level')
      expect(shown.rows).toEqual([{ transaction_isolation: 'serializable' }])
      await trx.commit()
      expect(await notesOf(db).bodies()).toEqual(['kept'])
    })
  })

  it('gives the client of a stream back that is left early', async () => {
    const { router } = opened
    const db = make()
    await router.runAs('north', async () => {
      const bodies: unknown[] = []
      for await (const row of db.select(db.raw('generate_series(1, 1000) as n')).stream()) {
        bodies.push(row)
        break
      }
      expect(bodies).toEqual([{ n: 1 }])
      expect(await notesOf(db).bodies()).toEqual(['kept'])
    })
  })

  it('destroys the connection of a query that took too long', async () => {
    const { router } = opened
    const db = make()
    await router.runAs('north', async () => {
      await expect(db.raw('select pg_sleep(0.5)').timeout(20)).rejects.toThrow(/timeout/)
      expect(await notesOf(db).bodies()).toEqual(['kept'])
      expect(() => db('notes').timeout(20, { cancel: true })).toThrow(/cancelling not supported/)
    })
  })

  it('lets statements name a schema that the option allows', async () => {
    const slugs = await opened.router.runAs('north', () =>
      make(['public']).withSchema('public').from('tenantry_tenants').pluck<string[]>('slug'),
    )
    expect(slugs).toEqual(['north'])
  })

  it('refuses a search path, and a knex that connects by itself', () => {
    const { router } = opened
    expect(() =>
      tenantKnex(router, (pool) =>
        knex({ client: 'pg', connectionPool: pool, searchPath: ['other'] }),
      ),
    ).toThrow(expect.objectContaining({ code: 'SCOPE_BYPASSED', option: 'searchPath' }))
    expect(() => tenantKnex(router, () => knex({ client: 'pg' }))).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', option: 'make' }),
    )
  })
})
