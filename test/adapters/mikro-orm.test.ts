import {
  Collection,
  type EntityManager,
  EntitySchema,
  MikroORM,
  RequestContext,
} from '@mikro-orm/postgresql'
import { tenantMikroOrm } from 'tenantry/mikro-orm'
import {
  type OrmNotes,
  type OrmTransaction,
  type TestedOrm,
  testOrmAdapter,
} from 'tenantry/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { useRouter } from './router.js'

class Note {
  id!: number
  body!: string
}
class Book {
  id!: number
  title!: string
  at!: Date
  pages = new Collection<Page>(this)
}
class Page {
  id!: number
  text!: string
  book!: Book
}

const NoteSchema = new EntitySchema({
  class: Note,
  tableName: 'notes',
  properties: { id: { type: 'number', primary: true }, body: { type: 'text' } },
})
const BookSchema = new EntitySchema({
  class: Book,
  properties: {
    id: { type: 'number', primary: true },
    title: { type: 'text' },
    at: { type: 'Date' },
    pages: { kind: '1:m', entity: () => Page, mappedBy: 'book' },
  },
})
const PageSchema = new EntitySchema({
  class: Page,
  properties: {
    id: { type: 'number', primary: true },
    text: { type: 'text' },
    book: { kind: 'm:1', entity: () => Book },
  },
})

const opened = useRouter()
const made: MikroORM[] = []
afterAll(() => Promise.all(made.map((orm) => orm.close())))

function make(options: object = {}, schemas: readonly string[] = []): MikroORM {
  const entities = [NoteSchema, BookSchema, PageSchema]
  const settings = { entities, dbName: 'any', port: 1, ...options }
  const orm = tenantMikroOrm(opened.router, () => MikroORM.initSync(settings), { schemas })
  made.push(orm)
  return orm
}

function notesOf(fork: () => EntityManager): OrmNotes {
  return {
    add: async (body) => {
      const em = fork()
      em.persist(em.create(Note, { body } as Note))
      await em.flush()
    },
    bodies: async () => (await fork().find(Note, {})).map(({ body }) => body),
    change: (from, body) => fork().nativeUpdate(Note, { body: from }, { body }),
    remove: (body) => fork().nativeDelete(Note, { body }),
    raw: (text) => fork().execute<object[]>(text),
  }
}

const inside = (em: EntityManager): OrmTransaction => ({
  ...notesOf(() => em),
  nested: (work) => em.transactional((inner) => work(notesOf(() => inner))),
})

const refusedBy = (orm: MikroORM): TestedOrm['refused'] => ({
  'schema of the options': (schema) => make({ schema }),
  'schema of a fork': (schema) => orm.em.fork({ schema }).find(Note, {}),
  find: (schema) => orm.em.fork().find(Note, {}, { schema }),
  count: (schema) => orm.em.fork().count(Note, {}, { schema }),
  create: (schema) => {
    const em = orm.em.fork()
    em.persist(em.create(Note, { body: 'x' } as Note, { schema }))
    return em.flush()
  },
  insert: (schema) => orm.em.fork().insert(Note, { body: 'x' }, { schema }),
  'insert many': (schema) =>
    orm.em.fork().insertMany(Note, [{ body: 'x' }, { body: 'y' }] as Note[], { schema }),
  update: (schema) => orm.em.fork().nativeUpdate(Note, {}, { body: 'x' }, { schema }),
  delete: (schema) => orm.em.fork().nativeDelete(Note, {}, { schema }),
  upsert: (schema) => orm.em.fork().upsert(Note, { id: 1, body: 'x' }, { schema }),
  'query builder': (schema) =>
    orm.em.fork().createQueryBuilder(Note).withSchema(schema).select('*').execute(),
  'query builder that joins': (schema) =>
    orm.em
      .fork()
      .createQueryBuilder(Book, 'b')
      .select('b.id')
      .leftJoin('b.pages', 'p', {}, schema)
      .execute(),
  knex: (schema) => orm.em.fork().getKnex().withSchema(schema).from('notes'),
  'in a transaction': (schema) =>
    orm.em.fork().transactional((em) => em.find(Note, {}, { schema })),
  'schema of an entity': (schema) => {
    const entity = new EntitySchema<Note>({
      name: 'Foreign',
      tableName: 'notes',
      schema,
      properties: { id: { type: 'number', primary: true }, body: { type: 'text' } },
    })
    return make({ entities: [entity] })
      .em.fork()
      .find('Foreign', {})
  },
})

describe('MikroORM with tenantMikroOrm', () => {
  testOrmAdapter({
    test: it,
    open: () => {
      const orm = make()
      const tested: TestedOrm = {
        ...notesOf(() => orm.em.fork()),
        transaction: (work) => orm.em.fork().transactional((em) => work(inside(em))),
        refused: refusedBy(orm) ?? {},
      }
      return { router: opened.router, orm: tested }
    },
  })
})

describe('tenantMikroOrm', () => {
  it('makes tables, loads relations and parses times as MikroORM does, for each tenant', async () => {
    const { router } = opened
    const orm = make()
    for (const slug of ['north', 'south']) {
      await router.tenants.create({ slug })
      await router.runAs(slug, async () => {
        await orm.em.fork().execute(`
          create table book (id serial primary key, title text, at timestamptz);
          create table page (id serial primary key, text text, book_id int references book)`)
        const em = orm.em.fork()
        const book = em.create(Book, { title: slug, at: new Date(0) } as Book)
        book.pages.add(em.create(Page, { text: `page of ${slug}`, book } as Page))
        await em.persist(book).flush()
      })
    }
    for (const slug of ['north', 'south']) {
      const [book] = await router.runAs(slug, () =>
        orm.em.fork().find(Book, {}, { populate: ['pages'] }),
      )
      expect(book).toMatchObject({ title: slug, at: new Date(0) })
      expect(book?.pages.getItems().map(({ text }) => text)).toEqual([`page of ${slug}`])
    }
  })

  it('refuses the entities of one tenant in the scope of another one, and in none', async () => {
    const { router } = opened
    const em = make().em.fork()
    const read = (slug: string) => router.runAs(slug, () => em.findOne(Book, 1))
    await expect(read('north')).resolves.toMatchObject({ title: 'north' })
    await expect(read('south')).rejects.toMatchObject({ code: 'SCOPE_BYPASSED' })
    await expect(em.findOne(Book, 1)).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
    await expect(read('north')).resolves.toMatchObject({ title: 'north' })
  })

  it('gives each request context an EntityManager of its own', async () => {
    const { router } = opened
    const orm = make()
    const read = (slug: string) =>
      router.runAs(slug, () => RequestContext.create(orm.em, () => orm.em.findOne(Book, 1)))
    const books = await Promise.all([read('north'), read('south')])
    expect(books.map((book) => book?.title)).toEqual(['north', 'south'])
  })

  it('stays with the pool when it connects again', async () => {
    const { router } = opened
    const orm = make()
    await router.runAs('north', () => orm.reconnect())
    const found = await router.runAs('south', () => orm.em.fork().findOne(Book, 1))
    expect(found?.title).toBe('south')
    await expect(orm.em.fork().findOne(Book, 1)).rejects.toMatchObject({ code: 'TENANT_NO_SCOPE' })
  })

  it('refuses the result cache, a global context, replicas, and what is no MikroORM', async () => {
    const { router } = opened
    const cached = router.runAs('north', () => make().em.fork().find(Book, {}, { cache: 1_000 }))
    await expect(cached).rejects.toMatchObject({ code: 'SCOPE_BYPASSED', option: 'cache' })
    const option = (run: () => unknown, name: string): void =>
      expect(run).toThrow(expect.objectContaining({ option: name }))
    option(() => make({ allowGlobalContext: true }), 'allowGlobalContext')
    option(() => make({ replicas: [{}] }), 'replicas')
    option(() => tenantMikroOrm(router, () => ({})), 'make')
  })

  it('lets entities name a schema that the option allows', async () => {
    const orm = make({}, ['common'])
    await opened.router.runAs('north', async () => {
      const em = orm.em.fork()
      await em.execute('create schema common; create table common.notes (id serial, body text)')
      await em.insert(Note, { body: 'x' }, { schema: 'common' })
      expect(await em.find(Note, {}, { schema: 'common' })).toMatchObject([{ body: 'x' }])
    })
  })
})
