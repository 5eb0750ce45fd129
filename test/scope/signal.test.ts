import { getEventListeners } from 'node:events'
import { type ScopeOptions, type ScopedClient, isTenantryError } from 'tenantry'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { type Fleet, type Lender, bodies, fleet } from '../support/lenders.js'
import { thrownBy } from '../unit/thrown.js'

const database = useDatabase()

const BODY = 'select body from notes'
const REASON = new Error('the request has ended')

function rowOf({ schema }: Lender): readonly unknown[] {
  return [{ body: schema }]
}

/** A fleet with one client, whose tenants are looked up. */
async function single(): Promise<Fleet> {
  const made = await fleet(database, { pool: { max: 1 } })
  for (const { slug } of made.lenders) await made.router.tenants.get(slug)
  return made
}

async function expectWhole({ pool }: Fleet): Promise<void> {
  await expect.poll(() => pool.totalCount - pool.idleCount).toBe(0)
  expect(pool.waitingCount).toBe(0)
}

/** How many backends sleep in this file's database. */
async function sleepers(): Promise<number> {
  const { rows } = await database.admin.query(
    `select from pg_stat_activity
     where datname = current_database() and wait_event = 'PgSleep' and state = 'active'`,
  )
  return rows.length
}

async function untilSleeping(): Promise<void> {
  await expect.poll(sleepers, { timeout: 10_000 }).toBe(1)
}

async function untilAwake(): Promise<void> {
  await expect.poll(sleepers, { timeout: 10_000 }).toBe(0)
}

async function pidOf({ router, acme }: Fleet): Promise<unknown> {
  const { rows } = await router.poolFor(acme.slug).query('select pg_backend_pid() as pid')
  return rows[0]
}

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('a signal that is aborted before its scope', () => {
  it.each<[string, ScopeOptions]>([
    ['a scope', {}],
    ['a transaction', { transaction: true }],
    ['a session scope', { scope: 'session' }],
  ])('takes nothing for %s', async (_, options) => {
    const made = await single()
    const { router, pool, acme } = made
    const taken: unknown[] = []
    pool.on('acquire', (client) => taken.push(client))
    let ran = false
    const scope = router.withTenant(
      acme.slug,
      (db) => {
        ran = true
        return db.query(BODY)
      },
      { ...options, signal: AbortSignal.abort(REASON) },
    )
    await expect(scope).rejects.toBe(REASON)
    expect(ran).toBe(false)
    expect(taken).toEqual([])
  })

  it('is told to withSchema and to the ambient tenant’s scope, too', async () => {
    const { router, acme } = await single()
    const options = { signal: AbortSignal.abort(REASON) }
    await expect(router.withSchema('public', (db) => db.query(BODY), options)).rejects.toBe(REASON)
    const ambient = router.runAs(acme.slug, () =>
      router.withTenant((db) => db.query(BODY), options),
    )
    await expect(ambient).rejects.toBe(REASON)
  })
})

describe('a signal that is aborted while its scope waits for a client', () => {
  it('ends the wait at once, and lets the client go back when it comes', async () => {
    const made = await single()
    const { router, pool, acme } = made
    const busy = await pool.connect()
    const controller = new AbortController()
    const scope = router.withTenant(acme.slug, (db) => db.query(BODY), {
      signal: controller.signal,
    })
    scope.catch(() => {})
    await expect.poll(() => pool.waitingCount).toBe(1)
    controller.abort(REASON)
    await expect(scope).rejects.toBe(REASON)
    expect(pool.idleCount, 'the client is still away').toBe(0)
    busy.release()
    await expectWhole(made)
    expect((await router.poolFor(acme.slug).query(BODY)).rows).toEqual(rowOf(acme))
  })

  it('ends the look-up of the tenant for this scope only', async () => {
    const made = await fleet(database, { pool: { max: 1 } })
    const { router, pool, acme } = made
    const busy = await pool.connect()
    const controller = new AbortController()
    const aborted = router.withTenant(acme.slug, (db) => db.query(BODY), {
      signal: controller.signal,
    })
    const other = router.withTenant(acme.slug, (db) => db.query(BODY))
    aborted.catch(() => {})
    await expect.poll(() => pool.waitingCount).toBe(1)
    controller.abort(REASON)
    await expect(aborted).rejects.toBe(REASON)
    busy.release()
    expect((await other).rows).toEqual(rowOf(acme))
    await expectWhole(made)
  })
})

describe('a signal that is aborted while a statement runs', () => {
  const SLEEPS: Readonly<Record<string, (db: ScopedClient) => Promise<unknown>>> = {
    'a text': (db) => db.query('select pg_sleep(60)'),
    'a text with values': (db) => db.query('select pg_sleep($1)', [60]),
    'several statements': (db) => db.query('select 1; select pg_sleep(60)'),
    'a block of code': (db) => db.query('do $$ begin perform pg_sleep(60); end $$'),
    'a transaction of the caller': async (db) => {
      await db.query('begin')
      await db.query('select pg_sleep(60)')
    },
    'the first of many statements': (db) =>
      Promise.all([
        db.query('select pg_sleep(60)'),
        db.query(`insert into notes (body) values ('late')`),
        db.query(`insert into notes (body) values ('later')`),
      ]),
  }

  it.each(Object.entries(SLEEPS))(
    'stops %s on the server, and nothing after it on the same client',
    async (_, sleep) => {
      const made = await single()
      const { router, acme, beta } = made
      const before = await pidOf(made)
      const controller = new AbortController()
      const scope = router.withTenant(acme.slug, sleep, { signal: controller.signal })
      scope.catch(() => {})
      await untilSleeping()
      controller.abort(REASON)
      await expect(scope).rejects.toBe(REASON)
      for (let at = 0; at < 50; at += 1) {
        const lender = at % 2 === 0 ? acme : beta
        const { rows } = await router.withTenant(lender.slug, (db) => db.query(BODY))
        expect(rows).toEqual(rowOf(lender))
      }
      await untilAwake()
      expect(await pidOf(made)).toEqual(before)
      expect(await bodies(database, acme.schema)).toEqual([acme.schema])
      await expectWhole(made)
    },
  )

  it('stops it again and again', async () => {
    const made = await single()
    const { router, acme } = made
    for (let at = 0; at < 10; at += 1) {
      const controller = new AbortController()
      const scope = router.withTenant(acme.slug, (db) => db.query('select pg_sleep(60)'), {
        signal: controller.signal,
      })
      scope.catch(() => {})
      await untilSleeping()
      controller.abort(REASON)
      await expect(scope).rejects.toBe(REASON)
      expect((await router.poolFor(acme.slug).query(BODY)).rows).toEqual(rowOf(acme))
    }
    await untilAwake()
    await expectWhole(made)
  })

  it('stops it in a session scope, and gives the client back as it was', async () => {
    const made = await single()
    const { router, pool, acme } = made
    const before = await pool.query('show search_path')
    const controller = new AbortController()
    const scope = router.withTenant(acme.slug, (db) => db.query('select pg_sleep(60)'), {
      scope: 'session',
      signal: controller.signal,
    })
    scope.catch(() => {})
    await untilSleeping()
    controller.abort(REASON)
    await expect(scope).rejects.toBe(REASON)
    await untilAwake()
    await expectWhole(made)
    expect((await pool.query('show search_path')).rows).toEqual(before.rows)
  })

  it('rolls back a transaction scope', async () => {
    const made = await single()
    const { router, acme } = made
    const controller = new AbortController()
    const scope = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        await db.query('select pg_sleep(60)')
      },
      { transaction: true, signal: controller.signal },
    )
    scope.catch(() => {})
    await untilSleeping()
    controller.abort(REASON)
    await expect(scope).rejects.toBe(REASON)
    expect(await bodies(database, acme.schema)).toEqual([acme.schema])
    await untilAwake()
    await expectWhole(made)
  })

  it('rejects with a reason that is no error', async () => {
    const made = await single()
    const controller = new AbortController()
    const scope = made.router.withTenant(made.acme.slug, (db) => db.query('select pg_sleep(60)'), {
      signal: controller.signal,
    })
    scope.catch(() => {})
    await untilSleeping()
    controller.abort('enough')
    await expect(scope).rejects.toBe('enough')
    await untilAwake()
    await expectWhole(made)
  })

  it('ends a scope by AbortSignal.timeout', async () => {
    const made = await single()
    const scope = made.router.withTenant(made.acme.slug, (db) => db.query('select pg_sleep(60)'), {
      signal: AbortSignal.timeout(100),
    })
    await expect(scope).rejects.toMatchObject({ name: 'TimeoutError' })
    await untilAwake()
    await expectWhole(made)
    expect((await made.router.poolFor(made.acme.slug).query(BODY)).rows).toEqual(rowOf(made.acme))
  })
})

describe('a signal that is aborted between two statements', () => {
  it.each<[string, ScopeOptions]>([
    ['a scope', {}],
    ['a transaction', { transaction: true }],
  ])('closes the client of %s, with the reason as the cause', async (_, options) => {
    const made = await single()
    const { router, acme } = made
    const controller = new AbortController()
    const used = gate()
    let late: unknown
    const scope = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(BODY)
        controller.abort(REASON)
        late = thrownBy(() => db.query(`insert into notes (body) values ('late')`))
        used.open()
        return 'a result that nobody sees'
      },
      { ...options, signal: controller.signal },
    )
    await expect(scope).rejects.toBe(REASON)
    await used.opened
    expect(isTenantryError(late, 'SCOPE_CLOSED')).toBe(true)
    expect(late).toMatchObject({ schema: acme.schema, cause: REASON })
    expect(await bodies(database, acme.schema)).toEqual([acme.schema])
    await expectWhole(made)
  })

  it('rolls back what a transaction scope has written', async () => {
    const made = await single()
    const controller = new AbortController()
    const scope = made.router.withTenant(
      made.acme.slug,
      async (db) => {
        await db.query(`insert into notes (body) values ('lost')`)
        controller.abort(REASON)
      },
      { transaction: true, signal: controller.signal },
    )
    await expect(scope).rejects.toBe(REASON)
    expect(await bodies(database, made.acme.schema)).toEqual([made.acme.schema])
    await expectWhole(made)
  })

  it('does not wait for a function that goes on', async () => {
    const made = await single()
    const { router, acme, beta } = made
    const controller = new AbortController()
    const goOn = gate()
    const ended = gate()
    const scope = router.withTenant(
      acme.slug,
      async (db) => {
        await db.query(BODY)
        controller.abort(REASON)
        await goOn.opened
        ended.open()
      },
      { signal: controller.signal },
    )
    await expect(scope).rejects.toBe(REASON)
    await expectWhole(made)
    expect((await router.poolFor(beta.slug).query(BODY)).rows).toEqual(rowOf(beta))
    goOn.open()
    await ended.opened
  })
})

describe('a signal that is aborted after its scope', () => {
  it('does nothing', async () => {
    const made = await single()
    const { router, acme } = made
    const controller = new AbortController()
    const { rows } = await router.withTenant(acme.slug, (db) => db.query(BODY), {
      signal: controller.signal,
    })
    expect(rows).toEqual(rowOf(acme))
    const before = await pidOf(made)
    const next = router.withTenant(acme.slug, (db) =>
      db.query('select body from notes, pg_sleep(0.05)'),
    )
    controller.abort(REASON)
    expect((await next).rows).toEqual(rowOf(acme))
    expect(await pidOf(made)).toEqual(before)
  })
})

describe('a signal that lives on', () => {
  it('keeps no listener of the scopes that it was given to', async () => {
    const made = await single()
    const { router, pool, acme } = made
    const { signal } = new AbortController()
    const options: readonly ScopeOptions[] = [
      { signal },
      { signal, transaction: true },
      { signal, scope: 'session' },
    ]
    for (const each of options) {
      await router.withTenant(acme.slug, (db) => db.query(BODY), each)
      await router.withTenant(acme.slug, () => {}, each)
      await expect(
        router.withTenant(acme.slug, (db) => db.query('select nothing from notes'), each),
      ).rejects.toMatchObject({ code: '42703' })
      await expect(router.withTenant('nobody', (db) => db.query(BODY), each)).rejects.toMatchObject(
        { code: 'TENANT_NOT_FOUND' },
      )
    }
    const busy = await pool.connect()
    const waiting = router.withTenant(acme.slug, (db) => db.query(BODY), { signal })
    await expect.poll(() => pool.waitingCount).toBe(1)
    busy.release()
    await waiting
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('keeps no listener after it was aborted', async () => {
    const made = await single()
    const controller = new AbortController()
    const { signal } = controller
    const scope = made.router.withTenant(made.acme.slug, (db) => db.query('select pg_sleep(60)'), {
      signal,
    })
    scope.catch(() => {})
    await untilSleeping()
    controller.abort(REASON)
    await expect(scope).rejects.toBe(REASON)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await untilAwake()
  })
})
