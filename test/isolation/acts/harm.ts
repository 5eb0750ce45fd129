import { type Scene, expects, nap, reads, saw, within, works } from '../scene.js'
import { codeOf } from '../witness.js'

const LOST = /terminat|ECONNRESET|EPIPE|not queryable|connection error|closed/i

export const nested = (scene: Scene): Promise<void> =>
  within(scene, async (db) => {
    if (scene.random.percent(70)) await works(scene, db)
    const inner = scene.router.withTenant(scene.other.slug, async (db2) => {
      await works(scene, db2, scene.other)
      await works(scene, db)
    })
    await expects(inner, 'POOL_STARVED')
    await works(scene, db)
  })

export const nestedAmbient = ({ router, ...rest }: Scene): Promise<void> => {
  const scene = { router, ...rest }
  return router.runAs(scene.tenant.slug, async () => {
    await works(scene, router.pool)
    await router.runAs(scene.other.slug, () => works(scene, router.pool, scene.other))
    await router.withTenant((db) => works(scene, db))
    await works(scene, router.pool)
  })
}

/** The signal comes at any moment: while waiting for a client, in a statement, or after it. */
export const aborted = async (scene: Scene): Promise<void> => {
  const { random } = scene
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new Error('given up')), random.below(12))
  const scope = within(
    scene,
    async (db) => {
      await works(scene, db)
      if (random.percent(60)) await db.query('select pg_sleep($1)', [random.below(8) / 1000])
      await works(scene, db)
    },
    { signal: controller.signal, transaction: random.percent(50) },
  )
  await expects(scope, /^given up$/)
  clearTimeout(timer)
}

/** A statement in the middle is stopped by the signal; the next user of the client is not. */
export const abortedInStatement = async (scene: Scene): Promise<void> => {
  const { random } = scene
  const signal = AbortSignal.timeout(1 + random.below(4))
  const scope = within(scene, (db) => db.query('select pg_sleep(0.005), home, tag from things'), {
    signal,
  })
  await expects(scope, /timeout/)
}

export const killedByItself = async (scene: Scene): Promise<void> => {
  const scope = within(
    scene,
    async (db) => {
      await works(scene, db)
      await db.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(1)')
    },
    { transaction: scene.random.percent(50) },
  )
  await expects(scope, '57P01', LOST)
}

export const killedFromOutside = async (scene: Scene): Promise<void> => {
  const { admin, random } = scene
  const scope = within(
    scene,
    async (db) => {
      const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid')
      const running = random.percent(50) ? db.query('select pg_sleep(1)') : nap(5)
      await Promise.all([admin.query('select pg_terminate_backend($1)', [rows[0]?.pid]), running])
      await reads(scene, db)
    },
    { transaction: random.percent(50) },
  )
  // Without a transaction the loss is seen with the next statement only, or with the running one.
  await expects(scope, '57P01', LOST)
}

export const connectionReset = async (scene: Scene): Promise<void> => {
  const client = await scene.router.poolFor(scene.tenant.slug).connect()
  client.on('error', () => {})
  const running = scene.random.percent(50)
    ? client.query('select pg_sleep(0.2)')
    : works(scene, client)
  destroySocket(client)
  await expects(running, LOST)
  await expects(reads(scene, client), LOST)
  client.release()
}

function destroySocket(client: object): void {
  const connection: unknown = Reflect.get(client, 'connection')
  if (typeof connection !== 'object' || connection === null || !('stream' in connection)) return
  const { stream } = connection
  if (typeof stream !== 'object' || stream === null || !('destroy' in stream)) return
  if (typeof stream.destroy === 'function') stream.destroy()
}

/** A value that cannot be sent is the caller's mistake, and nobody else's. */
export const unsendableValue = (scene: Scene): Promise<void> =>
  within(
    scene,
    async (db) => {
      const circular: { self?: unknown } = {}
      circular.self = circular
      await expects(db.query('select $1', [circular]), /circular/)
      await works(scene, db)
    },
    { transaction: scene.random.percent(50) },
  )

const remaking = new Map<string, Promise<void>>()

/** Drops the schema of a tenant and makes it again, while others are in it. */
export const remadeSchema = async (scene: Scene): Promise<void> => {
  const { admin, random, tenant } = scene
  if (!tenant.unsteady) return plainly(scene)
  const before = remaking.get(tenant.schema) ?? Promise.resolve()
  const drop = `drop schema ${tenant.schema} cascade`
  const make = `select public.storm_make('${tenant.schema}')`
  const remake = async (): Promise<void> => {
    if (random.percent(50)) await admin.query(`${drop}; ${make}`)
    else {
      await admin.query(drop)
      await admin.query(make)
    }
  }
  const done = before.then(remake)
  remaking.set(
    tenant.schema,
    done.catch(() => {}),
  )
  await Promise.all([done, readsMeanwhile(scene)])
}

const plainly = (scene: Scene): Promise<void> => within(scene, (db) => works(scene, db))

async function readsMeanwhile(scene: Scene): Promise<void> {
  for (let times = 0; times < 5; times += 1) {
    try {
      await within(
        scene,
        async (db) => {
          await db.query('select 1')
          const { rows } = await db.query('select home, tag from things order by id limit 3')
          saw(scene, rows)
        },
        { transaction: scene.random.percent(70) },
      )
    } catch (error) {
      if (!['SCHEMA_MISSING', '42P01', 'XX000'].includes(codeOf(error))) throw error
    }
  }
}
