import { type Scene, expects, reads, within, works } from '../scene.js'

/** Another tenant's path, set for the session: the next statement is scoped all the same. */
export const setsPath = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { other, random } = scene
    const set = [
      `set search_path to ${other.schema}`,
      `set session search_path = ${other.schema}, public`,
      `select set_config('search_path', '${other.schema}', false)`,
      `select set_config('search_path', '${other.schema}', false); select 1`,
    ]
    await db.query(random.pick(set))
    await works(scene, db)
  })

export const setsPathUnseen = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const call = [
      `select public.storm_set_path('${scene.other.schema}')`,
      `do $$ begin perform public.storm_set_path('${scene.other.schema}'); end $$`,
    ]
    await db.query(scene.random.pick(call))
    await works(scene, db)
  })

/** What the user sets inside of a transaction is the user's business; what follows is not. */
export const setsPathInTransaction = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { random, other } = scene
    await db.query('begin')
    await works(scene, db)
    const how = random.pick(['set', 'set local'])
    await db.query(`${how} search_path to ${other.schema}`)
    await db.query('select count(*) from things')
    await db.query(random.pick(['commit', 'rollback', 'commit']))
    await works(scene, db)
  })

export const setsPathAndFails = async (scene: Scene): Promise<void> => {
  const failed = within(
    scene,
    async (db) => {
      await works(scene, db)
      await db.query(`set search_path to ${scene.other.schema}`)
      throw new Error('thrown by the function')
    },
    { transaction: scene.random.percent(50) },
  )
  await expects(failed, /^thrown by the function$/)
}

/** A temporary table stands behind the tenant's own, in this scope and in the next. */
export const makesTemporary = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const { schema } = scene.tenant
    const row = `select 'temporary of ${schema}'::text as home, 'temporary' as tag, 99999999 as id`
    await db.query(`create ${scene.random.pick(['temp', 'temporary'])} table things as ${row}`)
    await works(scene, db)
  })

export const makesTemporaryUnseen = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query(`select public.storm_temporary('${scene.tenant.schema}')`)
    await works(scene, db)
  })

export const makesTemporaryInTransaction = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      await db.query(
        'create temporary table if not exists things (home text, tag text) on commit drop',
      )
      await works(scene, db)
    },
    { transaction: true },
  )

/** A scope that begins its transaction itself does so on a client that others have used. */
export const beginsOnUsedClient = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('begin')
    await works(scene, db)
    await db.query('commit')
  })

export const takesSessionLock = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('select pg_advisory_lock_shared($1)', [7])
    await works(scene, db)
  })

export const listens = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('listen storm')
    await works(scene, db)
  })

export const preparesInSql = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    await db.query('prepare mine as select home, tag from things order by id limit 1')
    await works(scene, db)
  })

export const discards = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    const name = { name: 'all', text: 'select * from things order by id limit 3' }
    await db.query(name)
    await db.query(scene.random.pick(['discard plans', 'deallocate all', 'discard temp']))
    await reads(scene, db)
    await db.query(name)
  })

/** The next statement is this scope's, whatever the one before left running. */
export const forgetsToAwait = async (scene: Scene): Promise<void> => {
  let pending: Promise<unknown> = Promise.resolve()
  await within(scene, async (db) => {
    pending = Promise.all([works(scene, db), works(scene, db)])
    pending.catch(() => {})
  })
  await pending
}

export const usedAfterItsEnd = async (scene: Scene): Promise<void> => {
  const db = await within(scene, async (lent) => {
    await works(scene, lent)
    return lent
  })
  const late = (async () => reads(scene, db))()
  if ((await expects(late, 'SCOPE_CLOSED')) === undefined) throw new Error('A late query ran.')
}

export const sessionScope = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      await works(scene, db)
      if (scene.random.percent(20)) await db.query('vacuum things')
      await db.query('begin')
      await works(scene, db)
      await db.query(scene.random.pick(['commit', 'rollback']))
      await works(scene, db)
    },
    { scope: 'session' },
  )
