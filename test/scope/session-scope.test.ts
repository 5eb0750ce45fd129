import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import type { ScopedClient } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { bodies, fleet, type Fleet, type Lender } from '../support/lenders.js'

const database = useDatabase()

function inSession<R>(
  { router }: Fleet,
  { slug }: Lender,
  fn: (db: ScopedClient) => Promise<R>,
): Promise<R> {
  return router.withTenant(slug, fn, { scope: 'session' })
}

interface Identity {
  readonly pid: number
  readonly path: string
}

const IDENTITY = `select pg_backend_pid() as pid, current_setting('search_path') as path`

/** Who answers outside of any scope, and on which path. */
async function unscoped({ pool }: Fleet): Promise<Identity> {
  const { rows } = await pool.query<Identity>(IDENTITY)
  const [row] = rows
  if (row === undefined) throw new Error('The server did not answer.')
  return row
}

const one = { pool: { max: 1 } }

describe('a session scope', () => {
  it('runs VACUUM on the tenant’s own table', async () => {
    const made = await fleet(database, one)
    await inSession(made, made.acme, (db) => db.query('vacuum (analyze) notes'))
    const { rows } = await database.admin.query(
      `select schemaname from pg_stat_user_tables where relname = 'notes' and last_vacuum is not null
         and schemaname = any ($1)`,
      [[made.acme.schema, made.beta.schema]],
    )
    // Statistics are written late; the index below is what cannot be mistaken.
    expect(rows.every(({ schemaname }) => schemaname === made.acme.schema)).toBe(true)
  })

  it('makes an index concurrently on the tenant’s own table', async () => {
    const made = await fleet(database, one)
    await inSession(made, made.acme, (db) =>
      db.query('create index concurrently notes_by_body on notes (body)'),
    )
    const { rows } = await database.admin.query(
      `select schemaname from pg_indexes where indexname = 'notes_by_body'`,
    )
    await database.admin.query(`drop index ${made.acme.schema}.notes_by_body`)
    expect(rows).toEqual([{ schemaname: made.acme.schema }])
  })

  it('that is a statement scope cannot run them, as in a transaction', async () => {
    const { router, acme } = await fleet(database, one)
    const scope = router.withTenant(acme.slug, (db) => db.query('vacuum notes'))
    await expect(scope).rejects.toMatchObject({ code: '25001' })
  })

  it('answers every form of statement for its tenant', async () => {
    const made = await fleet(database, one)
    const { acme } = made
    await inSession(made, acme, async (db) => {
      const own = [{ body: acme.schema }]
      expect((await db.query('select body from notes')).rows).toEqual(own)
      expect((await db.query('select body from notes where id = $1', [1])).rows).toEqual(own)
      const cursor = db.query(new Cursor('select body from notes'))
      expect(await cursor.read(1)).toEqual(own)
      await cursor.close()
      await pipeline(Readable.from(['in\n']), db.query(copyFrom('copy notes (body) from stdin')))
      await db.query(
        `insert into notes (body) values ('one'); insert into notes (body) values ('two')`,
      )
      await db.query(
        `insert into notes (body) values ('three'); commit; insert into notes (body) values ('four')`,
      )
      await db.query(`do $$ begin insert into notes (body) values ('five'); commit; end $$`)
    })
    const added = ['in', 'one', 'two', 'three', 'four', 'five']
    expect(await bodies(database, acme.schema)).toEqual([acme.schema, ...added])
    expect(await bodies(database, 'public')).toEqual(['public'])
  })

  it('may have transactions of its own', async () => {
    const made = await fleet(database, one)
    await inSession(made, made.acme, async (db) => {
      await db.query('begin')
      await db.query(`insert into notes (body) values ('lost')`)
      await db.query('rollback')
      await db.query('begin')
      await db.savepoint(() => db.query(`insert into notes (body) values ('kept')`))
      await db.query('commit')
    })
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema, 'kept'])
  })

  it('reports and undoes a transaction that is left open', async () => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    const scope = inSession(made, made.acme, async (db) => {
      await db.query(`begin; insert into notes (body) values ('lost')`)
    })
    await expect(scope).rejects.toMatchObject({ code: 'TRANSACTION_LEFT_OPEN' })
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
    expect(await unscoped(made)).toEqual(before)
  })

  it('is refused with { transaction: true }', async () => {
    const { router, pool, acme } = await fleet(database, one)
    const scope = router.withTenant(acme.slug, (db) => db.query('select 1'), {
      scope: 'session',
      transaction: true,
    })
    await expect(scope).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'scope' })
    expect(pool.listenerCount('error')).toBe(0)
  })

  it('takes no client without a query', async () => {
    const made = await fleet(database, one)
    await made.router.tenants.get(made.acme.slug)
    let acquired = 0
    made.pool.on('acquire', () => (acquired += 1))
    expect(await inSession(made, made.acme, async () => 7)).toBe(7)
    expect(acquired).toBe(0)
  })
})

describe('a session scope that is aborted while its path is being set', () => {
  it('runs nothing, and gives the client back as it was', async () => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    await made.router.tenants.get(made.acme.slug)
    const controller = new AbortController()
    const reason = new RangeError('stopped')
    made.pool.once('acquire', () => setImmediate(() => controller.abort(reason)))
    const queries: Promise<unknown>[] = []
    const scope = made.router.withTenant(
      made.acme.slug,
      async (db) => {
        const query = db.query(`insert into notes (body) values ('late')`)
        queries.push(query.catch((error: unknown) => error))
        await query
      },
      { scope: 'session', signal: controller.signal },
    )
    await expect(scope).rejects.toBe(reason)
    expect(await Promise.all(queries)).toEqual([reason])
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
    expect(await unscoped(made)).toEqual(before)
  })
})

describe('the path of a session scope', () => {
  it('is put back on a client that was never scoped before', async () => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    await inSession(made, made.acme, async (db) => {
      const { rows } = await db.query<Identity>(IDENTITY)
      expect(rows).toEqual([{ pid: before.pid, path: `"${made.acme.schema}", "public", pg_temp` }])
    })
    expect(await unscoped(made)).toEqual(before)
  })

  it('is put back on the very first client of a pool', async () => {
    const made = await fleet(database, one)
    const pid = await inSession(made, made.acme, async (db) => {
      const { rows } = await db.query<Identity>(IDENTITY)
      return rows[0]?.pid
    })
    expect(await unscoped(made)).toEqual({ pid, path: '"$user", public' })
  })

  it('is put back again and again, between statement scopes', async () => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    for (const lender of [made.acme, made.beta, made.acme]) {
      for (const scope of ['session', 'statement'] as const) {
        const { rows } = await made.router.withTenant(
          lender.slug,
          (db) => db.query('select body from notes'),
          { scope },
        )
        expect(rows).toEqual([{ body: lender.schema }])
        expect(await unscoped(made)).toEqual(before)
      }
    }
  })

  it('is put back to one that the pool’s own options have set', async () => {
    const made = await fleet(database, { pool: { max: 1, options: '-c search_path=pg_catalog' } })
    const before = await unscoped(made)
    expect(before.path).toBe('pg_catalog')
    await inSession(made, made.acme, (db) => db.query('select 1'))
    expect(await unscoped(made)).toEqual(before)
  })

  it('is put back to one that the pool’s owner has set at the connection', async () => {
    const made = await fleet(database, one)
    made.pool.on('connect', (client) => void client.query(`set search_path to ''`))
    const before = await unscoped(made)
    expect(before.path).toBe('""')
    await inSession(made, made.acme, (db) => db.query('select 1'))
    expect(await unscoped(made)).toEqual(before)
  })

  it('is put back when the function throws', async () => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    const failure = new RangeError('the function has failed')
    const scope = inSession(made, made.acme, async (db) => {
      await db.query('select 1')
      throw failure
    })
    await expect(scope).rejects.toBe(failure)
    expect(await unscoped(made)).toEqual(before)
  })

  it('is put back when a statement fails', async () => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    await expect(inSession(made, made.acme, (db) => db.query('nonsense'))).rejects.toMatchObject({
      code: '42601',
    })
    expect(await unscoped(made)).toEqual(before)
  })

  it.each([
    'discard all',
    'RESET ALL',
    'reset search_path',
    '/* a */ discard all;',
    'select 1; reset all',
  ])('cannot be taken away by: %s', async (text) => {
    const made = await fleet(database, one)
    await inSession(made, made.acme, async (db) => {
      await expect(db.query(text)).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' })
      const { rows } = await db.query('select body from notes')
      expect(rows).toEqual([{ body: made.acme.schema }])
    })
  })

  it.each([
    `set search_path to public`,
    `set statement_timeout to '7s'`,
    `select set_config('app.left', 'x', false)`,
    `create temp table notes (id int, body text)`,
    `prepare left_behind as select 1`,
  ])('and what a session scope leaves cost the client: %s', async (text) => {
    const made = await fleet(database, one)
    const before = await unscoped(made)
    await inSession(made, made.acme, (db) => db.query(text))
    const after = await unscoped(made)
    expect(after.path).toBe(before.path)
    expect(after.pid).not.toBe(before.pid)
  })
})

describe('a temporary table of an earlier scope', () => {
  it('does not stand in for a missing table of a session scope', async () => {
    const made = await fleet(database, one)
    await database.admin.query(
      `create function public.hide_session() returns void language plpgsql as $$
       begin execute 'create temp table spare (body text)'; end $$`,
    )
    await made.router.withTenant(made.acme.slug, (db) => db.query('select hide_session()'))
    await expect(
      inSession(made, made.beta, (db) => db.query('select * from spare')),
    ).rejects.toMatchObject({ code: '42P01' })
    await database.admin.query('drop function public.hide_session()')
  })
})

describe('a session scope behind a pooler', () => {
  /** A pooler makes up the process id that a client is told. */
  async function behindPooler(scope: { pooler?: 'session' } = {}): Promise<Fleet> {
    const made = await fleet(database, { ...one, scope })
    made.pool.on('connect', (client) => Reflect.set(client, 'processID', 1))
    return made
  }

  it('is refused, and nothing is set', async () => {
    const made = await behindPooler()
    const before = await unscoped(made)
    const removed = once(made.pool, 'remove')
    let ran = false
    const scope = inSession(made, made.acme, async (db) => {
      await db.query('select 1')
      ran = true
    })
    await expect(scope).rejects.toMatchObject({
      code: 'POOLER_IN_BETWEEN',
      schema: made.acme.schema,
    })
    await removed
    expect(ran).toBe(false)
    expect((await unscoped(made)).path).toBe(before.path)
  })

  it('is allowed when the pooler is known to be in session mode', async () => {
    const made = await behindPooler({ pooler: 'session' })
    const { rows } = await inSession(made, made.acme, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: made.acme.schema }])
  })

  it('does not keep statement scopes from their work', async () => {
    const made = await behindPooler()
    for (const lender of [made.acme, made.beta, made.acme]) {
      const { rows } = await made.router.withTenant(lender.slug, (db) =>
        db.query('select body from notes'),
      )
      expect(rows).toEqual([{ body: lender.schema }])
    }
  })

  it('keeps statement scopes from preparing what the next backend would not know', async () => {
    const made = await behindPooler()
    await made.router.withTenant(made.acme.slug, async (db) => {
      await db.query('select 1')
      await db.query('select 1')
    })
    const { rows } = await made.pool.query('select name from pg_prepared_statements')
    expect(rows).toEqual([])
  })
})
