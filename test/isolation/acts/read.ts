import { type Scene, READ, WRITE, reads, saw, within, works, writes } from '../scene.js'
import { codeOf } from '../witness.js'

export const plainQuery = (scene: Scene): Promise<void> => within(scene, (db) => works(scene, db))

export const manyQueries = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const times = 1 + scene.random.below(5)
    await Promise.all(Array.from({ length: times }, () => works(scene, db)))
    await reads(scene, db)
  })

export const withValues = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { rows } = await db.query('select home, tag from things where id <= $1', [2])
    saw(scene, rows)
    await writes(scene, db)
  })

/** One name for all tenants, though the type of a column is each tenant's own. */
export const namedStatement = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const name = scene.random.pick(['read', 'all'])
    const text = name === 'read' ? READ : 'select * from things order by id limit 3'
    const { rows } = await db.query({ name, text, values: [] })
    saw(scene, rows)
    const written = await db.query({ name: 'write', text: WRITE }, [scene.tenant.schema])
    saw(scene, written.rows)
  })

export const severalStatements = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { schema } = scene.tenant
    const write = `insert into things (tag) values ('${schema}') returning home, tag`
    // With several statements pg answers with a list of results, which its types do not know.
    const results: unknown = await db.query(`${write}; ${READ}; select 1 as one`)
    if (!Array.isArray(results)) throw new Error('Several statements have one result.')
    for (const { rows } of results.slice(0, 2)) saw(scene, rows)
    await reads(scene, db)
  })

export const throughFunction = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { rows } = await db.query('select home, tag from public.storm_read()')
    saw(scene, rows)
    await db.query(`call public.storm_write('${scene.tenant.schema}')`)
    await db.query(`do $$ begin insert into things (tag) values ('${scene.tenant.schema}'); end $$`)
    await reads(scene, db)
  })

/** The procedure commits and goes on: refused by the server, or else in the right schema. */
export const committingProcedure = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const start = scene.random.pick(['', ';', '-- a comment\n', '/* one */ ;'])
    const text = `${start}call public.storm_commit('${scene.tenant.schema}')`
    await db.query(text).catch((error: unknown) => {
      if (codeOf(error) !== '2D000') throw error
    })
    await reads(scene, db)
  })

export const callbackQuery = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { rows, ambient } = await new Promise<{ rows: unknown[]; ambient: string }>(
      (resolve, reject) => {
        db.query(READ, [], (error: Error | undefined, result: { rows: unknown[] }) => {
          if (error) reject(error)
          else resolve({ rows: result.rows, ambient: scene.router.current().slug })
        })
      },
    )
    saw(scene, rows)
    if (ambient !== scene.tenant.slug) throw new Error(`The callback ran as ${ambient}.`)
  })

export const ambientPool = ({ router, ...rest }: Scene): Promise<void> => {
  const scene = { router, ...rest }
  return router.runAs(scene.tenant.slug, async () => {
    const times = 1 + scene.random.below(3)
    await Promise.all(Array.from({ length: times }, () => works(scene, router.pool)))
    const { rows } = await router.pool.query({ text: WRITE, values: [scene.tenant.schema] })
    saw(scene, rows)
  })
}

export const boundPool = async (scene: Scene): Promise<void> => {
  const pool = scene.router.poolFor(scene.tenant.slug)
  await works(scene, pool)
  const other = scene.router.poolFor(scene.other.slug)
  await Promise.all([reads(scene, pool), reads(scene, other, scene.other)])
}

export const connectedClient = async (scene: Scene): Promise<void> => {
  const client = await scene.router.poolFor(scene.tenant.slug).connect()
  let last: Promise<void> = Promise.resolve()
  try {
    await works(scene, client)
    last = reads(scene, client)
    if (scene.random.percent(50)) await last
  } finally {
    client.release(scene.random.percent(5))
  }
  await last
}

export const makesTable = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const table = `note_${scene.tenant.schema}_${scene.number}`
    await db.query(`drop table if exists ${table}`)
    await db.query(`create table ${table} (body text)`)
    await reads(scene, db)
  })

/** Whoever uses the pool without a router is not to find a tenant's path on its clients. */
export const unscopedQuery = async ({ pool, witness, where }: Scene): Promise<void> => {
  const { rows } = await pool.query('select current_schema() as home, current_schema() as tag')
  witness.saw(where, 'public', rows)
}
