import { type Scene, expects, reads, within, works, writes } from '../scene.js'

export const ownTransaction = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      await works(scene, db)
      const undone = db.savepoint(async () => {
        await writes(scene, db)
        throw new Error('undo')
      })
      await expects(undone, /^undo$/)
      await reads(scene, db)
      await db.savepoint(() => works(scene, db))
      await expects(
        db.savepoint(() => db.query('select 1 / 0')),
        '22012',
      )
      await works(scene, db)
    },
    { transaction: true },
  )

export const throwing = async (scene: Scene): Promise<void> => {
  const transaction = scene.random.percent(50)
  const failed = within(
    scene,
    async (db) => {
      await works(scene, db)
      throw new Error('thrown by the function')
    },
    { transaction },
  )
  await expects(failed, /^thrown by the function$/)
}

export const usersTransaction = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const begin = ['begin', `begin isolation level ${isolationFor(scene)}`, 'start transaction']
    await db.query(scene.random.pick(begin))
    await works(scene, db)
    await works(scene, db)
    await db.query(scene.random.pick(['commit', 'rollback', 'end', 'abort', '; commit']))
    await works(scene, db)
  })

export const textThatBegins = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query(scene.random.pick(['begin; select 1', 'begin; savepoint one', ';begin']))
    await works(scene, db)
    await works(scene, db)
    await db.query(scene.random.pick(['select 1; commit', '-- the end\nrollback', 'commit;']))
    await works(scene, db)
  })

/** A new transaction begins where the old one ends, and the path ends with the old one. */
export const chainedTransaction = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('begin')
    await works(scene, db)
    await db.query(
      scene.random.pick(['commit and chain', 'rollback and chain', ';commit and chain']),
    )
    await works(scene, db)
    await db.query('commit')
    await works(scene, db)
  })

/** The savepoint may be older than the path, and going back to it takes the path away. */
export const savepoints = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('begin')
    if (scene.random.percent(30)) await works(scene, db)
    await db.query('savepoint one')
    await works(scene, db)
    await db.query(scene.random.pick(['savepoint two', 'savepoint one']))
    await works(scene, db)
    if (scene.random.percent(30)) await expects(db.query('select 1 / 0'), '22012')
    await db.query(scene.random.pick(['rollback to one', 'rollback to savepoint one']))
    await works(scene, db)
    await db.query('rollback to one; release one')
    await works(scene, db)
    await db.query('commit')
    await reads(scene, db)
  })

export const failedTransaction = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('begin')
    await writes(scene, db)
    await expects(db.query('select 1 / 0'), '22012')
    await expects(reads(scene, db), '25P02')
    await db.query(scene.random.pick(['rollback', 'commit']))
    await works(scene, db)
  })

export const failedText = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { schema } = scene.tenant
    await expects(db.query(`insert into things (tag) values ('${schema}'); select 1 / 0`), '22012')
    await expects(db.query('select nothing from things'), '42703')
    await works(scene, db)
  })

export const leftOpen = async (scene: Scene): Promise<void> => {
  const left = within(scene, async (db) => {
    await db.query('begin')
    await works(scene, db)
  })
  if ((await expects(left, 'TRANSACTION_LEFT_OPEN')) === undefined) {
    throw new Error('An open transaction was not noticed.')
  }
}

export const leftOpenByClient = async (scene: Scene): Promise<void> => {
  const client = await scene.router.poolFor(scene.tenant.slug).connect()
  try {
    await client.query('begin')
    await works(scene, client)
  } finally {
    client.release()
  }
}

/** The first statement of a scope's transaction may be one that reads nothing. */
export const emptyStart = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      await db.query(scene.random.pick(['savepoint one', 'set transaction read write']))
      await works(scene, db)
    },
    { transaction: true, isolation: isolationFor(scene) },
  )

/** A snapshot that is older than a schema made again finds the new tables, and none of their rows. */
function isolationFor({ tenant }: Scene): 'read committed' | 'repeatable read' {
  return tenant.unsteady ? 'read committed' : 'repeatable read'
}
