import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { type Scene, expects, nap, reads, saw, within, works } from '../scene.js'
import type { Row } from '../witness.js'

const ALL = 'select home, tag from things'
const MANY = 'select t.home, t.tag from things t, generate_series(1, 50)'
const COPY_OUT = `copy (select home, tag from things limit 20) to stdout`

export const cursor = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const opened = db.query(new Cursor<Row>(MANY))
    saw(scene, await opened.read(3))
    saw(scene, await opened.read(2))
    await opened.close()
    await works(scene, db)
  })

export const cursorLeftOpen = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const opened = db.query(new Cursor<Row>(MANY))
    saw(scene, await opened.read(3))
  })

export const queryStream = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const rows: Row[] = []
    for await (const row of db.query(new QueryStream(ALL, [], { batchSize: 5 }))) rows.push(row)
    saw(scene, rows)
    await works(scene, db)
  })

export const streamEndedEarly = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    for await (const row of db.query(new QueryStream(MANY, [], { batchSize: 2 }))) {
      saw(scene, [row])
      if (scene.random.percent(50)) break
    }
    await works(scene, db)
  })

export const streamThatFails = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const stream = db.query(new QueryStream('select 1 / (t.id - t.id) from things t'))
    await expects(stream.toArray(), '22012')
    await works(scene, db)
  })

export const streamOfPool = ({ router, ...rest }: Scene): Promise<void> => {
  const scene = { router, ...rest }
  return router.runAs(scene.tenant.slug, async () => {
    saw(scene, await router.pool.query(new QueryStream(ALL, [])).toArray())
    await reads(scene, router.pool)
  })
}

export const copyOut = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      const lines = (await db.query(copyTo(COPY_OUT)).toArray()).join('').trim().split('\n')
      const rows = lines.map((line) => line.split('\t'))
      saw(
        scene,
        rows.map(([home = '', tag = '']): Row => ({ home, tag })),
      )
      await works(scene, db)
    },
    { transaction: scene.random.percent(30) },
  )

export const copyIn = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      const lines = Array.from({ length: 3 }, () => `${scene.tenant.schema}\n`)
      await pipeline(Readable.from(lines), db.query(copyFrom('copy things (tag) from stdin')))
      scene.witness.rowsWritten += lines.length
      await works(scene, db)
    },
    { transaction: scene.random.percent(30) },
  )

export const copyInGivenUp = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const stream = db.query(copyFrom('copy things (tag) from stdin'))
    stream.on('error', () => {})
    stream.write(`${scene.tenant.schema}\n`)
    await nap(scene.random.below(3))
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.destroy()
    await closed
  })

/** A COPY without a stream is a mistake that the server answers with an error. */
export const copyWithoutStream = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await expects(db.query('copy things (tag) from stdin'), '57014', 'STATEMENT_REFUSED')
    await works(scene, db)
  })
