import { type SchemaRouterOptions, SchemaRouter } from 'tenantry'
import {
  type OrmNotes,
  type OrmTransaction,
  type TestedOrm,
  testOrmAdapter,
} from 'tenantry/testing'
import { tenantDataSource } from 'tenantry/typeorm'
import { DataSource, type DataSourceOptions, type EntityManager, EntitySchema } from 'typeorm'
import { describe, expect, it } from 'vitest'
import { useRouter } from './router.js'

interface Row {
  id: number
  body: string
}

const entity = (schema?: string): EntitySchema<Row> =>
  new EntitySchema<Row>({
    name: 'Note',
    tableName: 'notes',
    columns: {
      id: { type: Number, primary: true, generated: true },
      body: { type: String },
    },
    ...(schema !== undefined && { schema }),
  })
const Note = entity()

const opened = useRouter()
const kept: { source?: DataSource } = {}

function make(options: object = {}, schemas: readonly string[] = []): DataSource {
  const settings = { type: 'postgres', entities: [Note], ...options } as DataSourceOptions
  return tenantDataSource(opened.router, () => new DataSource(settings), { schemas })
}

async function open(): Promise<DataSource> {
  return (kept.source ??= await make().initialize())
}

function notesOf(manager: EntityManager): OrmNotes {
  const notes = manager.getRepository(Note)
  return {
    add: (body) => notes.save({ body }),
    bodies: async () => (await notes.find()).map(({ body }) => body),
    change: (from, body) => notes.update({ body: from }, { body }),
    remove: (body) => notes.delete({ body }),
    raw: (text) => manager.query<object[]>(text),
  }
}

const inside = (manager: EntityManager): OrmTransaction => ({
  ...notesOf(manager),
  nested: (work) => manager.transaction((inner) => work(notesOf(inner))),
})

function refusedBy(source: DataSource): TestedOrm['refused'] {
  const builder = () => source.createQueryBuilder()
  return {
    'schema of an entity': (schema) => make({ entities: [entity(schema)] }).initialize(),
    'schema of the data source': (schema) => make({ schema }),
    from: (schema) => builder().select('n.body').from(`${schema}.notes`, 'n').getRawMany(),
    'sub-query': (schema) =>
      source
        .getRepository(Note)
        .createQueryBuilder('n')
        .where(
          (query) =>
            `exists ${query.subQuery().select('1').from(`${schema}.notes`, 'o').getQuery()}`,
        )
        .getMany(),
    insert: (schema) => builder().insert().into(`${schema}.notes`).values({ body: 'x' }).execute(),
    update: (schema) => builder().update(`${schema}.notes`).set({ body: 'x' }).execute(),
    delete: (schema) => builder().delete().from(`${schema}.notes`).execute(),
    'in a transaction': (schema) =>
      source.transaction((manager) =>
        manager.createQueryBuilder().delete().from(`${schema}.notes`).execute(),
      ),
  }
}

describe('TypeORM with tenantDataSource', () => {
  testOrmAdapter({
    test: it,
    open: async () => {
      const source = await open()
      const orm: TestedOrm = {
        ...notesOf(source.manager),
        transaction: (work) => source.transaction((manager) => work(inside(manager))),
        async *stream() {
          const runner = source.createQueryRunner()
          const query = source.getRepository(Note).createQueryBuilder('n', runner)
          try {
            for await (const row of await query.stream()) yield (row as { n_body: string }).n_body
          } finally {
            await runner.release()
          }
        },
        refused: refusedBy(source) ?? {},
      }
      return { router: opened.router, orm }
    },
  })
})

describe('tenantDataSource', () => {
  it('is initialized without a tenant, and without a database', async () => {
    const options: SchemaRouterOptions = { connectionString: 'postgres://localhost:1/none' }
    await using router = new SchemaRouter(options)
    const settings: DataSourceOptions = { type: 'postgres', entities: [Note] }
    const source = tenantDataSource(router, () => new DataSource(settings))
    await source.initialize()
    expect(source.isInitialized).toBe(true)
    await source.destroy()
  })

  it('makes tables with a query runner where the tenant is, for each tenant', async () => {
    const { router } = opened
    const source = await open()
    for (const slug of ['north', 'south']) {
      await router.tenants.create({ slug })
      await router.runAs(slug, async () => {
        const runner = source.createQueryRunner()
        expect(await runner.hasTable('notes')).toBe(false)
        await runner.release()
        await source.synchronize()
        await source.manager.save(Note, { body: slug })
      })
    }
    for (const slug of ['north', 'south']) {
      const { rows } = await router.withTenant(slug, (db) =>
        db.query(`select body from ${db.schema}.notes`),
      )
      expect(rows).toEqual([{ body: slug }])
    }
  })

  it('lets entities name a schema that the option allows', async () => {
    const { router } = opened
    const Common = entity('common')
    const source = await make({ entities: [Common] }, ['common']).initialize()
    const found = await router.runAs('north', async () => {
      await source.query('create schema common')
      await source.query('create table common.notes (id serial, body text)')
      await source.manager.save(Common, { body: 'everybody’s' })
      return source.getRepository(Common).find()
    })
    expect(found).toMatchObject([{ body: 'everybody’s' }])
    await source.destroy()
  })

  it('leaves other data sources alone', () => {
    const other = new DataSource({ type: 'postgres', entities: [] })
    const query = other.createQueryBuilder().select('n.body').from('other.notes', 'n').getQuery()
    expect(query).toContain('"other"."notes"')
  })

  it('refuses a cache, replicas, and what is no data source of PostgreSQL', () => {
    const code = (run: () => unknown, facts: object): void =>
      expect(run).toThrow(expect.objectContaining(facts))
    code(() => make({ cache: true }), { code: 'SCOPE_BYPASSED', option: 'cache' })
    const replication = { master: {}, slaves: [{}] }
    code(() => make({ replication }), { code: 'OPTIONS_INVALID', option: 'replication' })
    code(() => tenantDataSource(opened.router, () => ({})), { option: 'make' })
  })
})
