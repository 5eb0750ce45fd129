import { once } from 'node:events'
import type { QueryConfig } from 'pg'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, fleet, type Fleet } from '../support/lenders.js'
import { WAYS } from './way.js'

const database = useDatabase()

/** The server goes on for a moment, and the client must not go back to the pool meanwhile. */
const SLOW = `insert into notes (body) select 'slow' from pg_sleep(0.2)`

/** Slower than a timeout that a quick query keeps on a busy machine as well. */
const VERY_SLOW = `insert into notes (body) select 'slow' from pg_sleep(30)`

/** The server does not look whether its client is still there, and would sleep to the end. */
async function endVerySlow(): Promise<void> {
  await database.admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query = $1`,
    [VERY_SLOW],
  )
}

/** pg's types know no timeout of a query. */
function withTimeout(text: string, milliseconds: number): QueryConfig {
  return Object.assign({ text }, { query_timeout: milliseconds })
}

async function given(options = {}): Promise<Fleet> {
  return fleet(database, { pool: { max: 1, ...options } })
}

describe.each(WAYS)('query_timeout through $name', ({ run }) => {
  it('of a query ends the wait for it, and costs the client', async () => {
    const made = await given()
    const removed = once(made.pool, 'remove')
    await run(made, made.acme, async (db) => {
      await expect(db.query(withTimeout(SLOW, 20))).rejects.toThrow('Query read timeout')
    })
    await removed
    const { rows } = await run(made, made.beta, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: made.beta.schema }])
    expect(await bodies(database, 'public')).toEqual(['public'])
  })

  it('of the pool ends the wait for a query', async () => {
    const made = await given({ query_timeout: 1_000 })
    const removed = once(made.pool, 'remove')
    await run(made, made.acme, async (db) => {
      await expect(db.query(VERY_SLOW)).rejects.toThrow('Query read timeout')
    })
    await removed
    await endVerySlow()
    const { rows } = await run(made, made.beta, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: made.beta.schema }])
  })

  it('that is not reached changes nothing', async () => {
    const made = await given()
    const { rows } = await run(made, made.acme, (db) =>
      db.query(withTimeout('select body from notes', 10_000)),
    )
    expect(rows).toEqual([{ body: made.acme.schema }])
  })
})

describe('query_timeout in a transaction', () => {
  it('rolls the transaction back', async () => {
    const made = await given()
    const removed = once(made.pool, 'remove')
    const scope = made.router.withTenant(
      made.acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        await db.query(withTimeout('select pg_sleep(0.2)', 20))
      },
      { transaction: true },
    )
    await expect(scope).rejects.toThrow('Query read timeout')
    await removed
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
  })
})
