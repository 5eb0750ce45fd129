import {
  DataTypes,
  type Model,
  type ModelStatic,
  QueryTypes,
  Sequelize,
  type Transaction,
} from 'sequelize'
import { tenantSequelize } from 'tenantry/sequelize'
import { type OrmNotes, type TestedOrm, testOrmAdapter } from 'tenantry/testing'
import { describe, expect, it } from 'vitest'
import { useRouter } from './router.js'

interface Row extends Model {
  body: string
}

const opened = useRouter()

function make(options: object = {}, schemas: readonly string[] = []): Sequelize {
  const settings = { dialect: 'postgres', logging: false, ...options } as const
  return tenantSequelize(opened.router, () => new Sequelize(settings), { schemas })
}

const noteOf = (sequelize: Sequelize, options: object = {}): ModelStatic<Row> =>
  sequelize.define<Row>(
    'note',
    { body: DataTypes.TEXT },
    {
      tableName: 'notes',
      timestamps: false,
      ...options,
    },
  )

function notesOf(sequelize: Sequelize, transaction: Transaction | null = null): OrmNotes {
  const Note = noteOf(sequelize)
  return {
    add: (body) => Note.create({ body }, { transaction }),
    bodies: async () => (await Note.findAll({ transaction })).map(({ body }) => body),
    change: (from, body) => Note.update({ body }, { where: { body: from }, transaction }),
    remove: (body) => Note.destroy({ where: { body }, transaction }),
    raw: (text) => sequelize.query<object>(text, { type: QueryTypes.SELECT, transaction }),
  }
}

const refusedBy = (sequelize: Sequelize): TestedOrm['refused'] => ({
  'schema of a model': (schema) => noteOf(sequelize, { schema }).findAll(),
  'schema of a call': (schema) => noteOf(sequelize).schema(schema).create({ body: 'x' }),
  'schema of all models': (schema) => make({ define: { schema } }),
  'schema of the options': (schema) => make({ schema }),
  update: (schema) => noteOf(sequelize).schema(schema).update({ body: 'x' }, { where: {} }),
  delete: (schema) => noteOf(sequelize).schema(schema).destroy({ where: {} }),
  truncate: (schema) => noteOf(sequelize).schema(schema).truncate(),
  'many rows': (schema) =>
    noteOf(sequelize)
      .schema(schema)
      .bulkCreate([{ body: 'x' }]),
  join: (schema) => {
    const Note = noteOf(sequelize)
    const Other = sequelize.define('other', {}, { tableName: 'notes', schema, timestamps: false })
    Note.hasMany(Other, { foreignKey: 'id' })
    return Note.findAll({ include: Other })
  },
  'search path': (schema) => {
    const path: object = { searchPath: schema }
    return make({ dialectOptions: { prependSearchPath: true } }).query('select 1', path)
  },
  'query interface': (schema) =>
    sequelize.getQueryInterface().dropTable({ tableName: 'notes', schema }),
  'in a transaction': (schema) =>
    sequelize.transaction((transaction) =>
      noteOf(sequelize).schema(schema).findAll({ transaction }),
    ),
})

describe('Sequelize with tenantSequelize', () => {
  testOrmAdapter({
    test: it,
    open: () => {
      const sequelize = make()
      const orm: TestedOrm = {
        ...notesOf(sequelize),
        transaction: (work) =>
          sequelize.transaction((transaction) =>
            work({
              ...notesOf(sequelize, transaction),
              nested: (inner) =>
                sequelize.transaction({ transaction }, (saved) => inner(notesOf(sequelize, saved))),
            }),
          ),
        refused: refusedBy(sequelize) ?? {},
      }
      return { router: opened.router, orm }
    },
  })
})

describe('tenantSequelize', () => {
  it('parses what it reads as Sequelize does, in all tenants', async () => {
    const { router } = opened
    const sequelize = make()
    const Day = sequelize.define('day', {
      on: DataTypes.DATEONLY,
      at: DataTypes.DATE,
      mood: DataTypes.ENUM('good', 'bad'),
      tags: DataTypes.ARRAY(DataTypes.TEXT),
      cost: DataTypes.DECIMAL(10, 2),
      span: DataTypes.RANGE(DataTypes.INTEGER),
      more: DataTypes.JSONB,
    })
    const day = { on: '2026-03-29', at: new Date(0), mood: 'good', tags: ['a', 'b'] }
    for (const slug of ['north', 'south']) {
      await router.tenants.create({ slug })
      await router.runAs(slug, async () => {
        await sequelize.sync()
        await Day.create({ ...day, cost: '1.50', span: [1, 3], more: { a: 1 } })
        const found = (await Day.findOne())?.get()
        expect(found).toMatchObject({ ...day, cost: '1.50', more: { a: 1 } })
        expect(found).toMatchObject({ span: [{ value: 1 }, { value: 3 }] })
      })
    }
  })

  it('lets models name a schema that the option allows', async () => {
    const { router } = opened
    const sequelize = make({}, ['common'])
    const Note = noteOf(sequelize, { schema: 'common' })
    const found = await router.runAs('north', async () => {
      await sequelize.query('create schema common')
      await Note.sync()
      await Note.create({ body: 'everybody’s' })
      return Note.findAll()
    })
    expect(found).toMatchObject([{ body: 'everybody’s' }])
  })

  it('gives the clients back when it is closed, and connects no more', async () => {
    const sequelize = make()
    await sequelize.close()
    const run = opened.router.runAs('north', () => sequelize.query('select 1'))
    await expect(run).rejects.toThrow(/closed/)
  })

  it('refuses what is no Sequelize of PostgreSQL', () => {
    expect(() => tenantSequelize(opened.router, () => ({}))).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', option: 'make' }),
    )
  })
})
