import { describe, expect, it } from 'vitest'
import type { IsolationLevel, ScopedClient } from 'tenantry'
import { useDatabase } from '../support/database.js'
import { bodies, type Lender, useFleet } from '../support/lenders.js'
import type { Db } from './way.js'

const database = useDatabase()
const given = useFleet(database, { pool: { max: 1 } })

async function expectNotes(lender: Lender, added: readonly string[]): Promise<void> {
  expect(await bodies(database, lender.schema)).toEqual([lender.schema, ...added])
  expect(await bodies(database, 'public')).toEqual(['public'])
}

function insert(db: Db, body: string): Promise<unknown> {
  return db.query('insert into notes (body) values ($1)', [body])
}

/** Runs `fn` as the first tenant in a transaction of its scope. */
function inTransaction<R>(fn: (db: ScopedClient) => Promise<R>): Promise<R> {
  const { router, acme } = given()
  return router.withTenant(acme.slug, fn, { transaction: true })
}

async function backendOf(db: Db): Promise<number> {
  const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}

async function kill(pid: number): Promise<void> {
  await database.admin.query('select pg_terminate_backend($1, 5000)', [pid])
}

describe('{ transaction: true }', () => {
  it('commits what the function did, all at once', async () => {
    const { acme } = given()
    const result = await inTransaction(async (db) => {
      await insert(db, 'one')
      await db.query(
        `insert into notes (body) values ('two'); insert into notes (body) values ('three')`,
      )
      await expectNotes(acme, [])
      return 'its result'
    })
    expect(result).toBe('its result')
    await expectNotes(acme, ['one', 'two', 'three'])
  })

  it('rolls back when the function throws, and throws the same', async () => {
    const { acme } = given()
    const failure = new RangeError('the function has failed')
    const scope = inTransaction(async (db) => {
      await insert(db, 'lost')
      throw failure
    })
    await expect(scope).rejects.toBe(failure)
    await expectNotes(acme, [])
  })

  it('rolls back when a statement fails', async () => {
    const { acme } = given()
    const scope = inTransaction(async (db) => {
      await insert(db, 'lost')
      await db.query('nonsense')
    })
    await expect(scope).rejects.toMatchObject({ code: '42601' })
    await expectNotes(acme, [])
  })

  it.each([
    ['a statement', ['nonsense']],
    ['its first statement', []],
  ])('reports that it was rolled back when the error of %s was swallowed', async (_, texts) => {
    const { acme } = given()
    const scope = inTransaction(async (db) => {
      if (texts.length > 0) await insert(db, 'lost')
      await db.query('nonsense').catch(() => {})
    })
    await expect(scope).rejects.toMatchObject({
      code: 'TRANSACTION_ROLLED_BACK',
      schema: acme.schema,
    })
    await expectNotes(acme, [])
  })

  it('throws what COMMIT throws, and nothing is kept', async () => {
    const { acme } = given()
    await database.admin.query(
      `alter table ${acme.schema}.notes
         add constraint late unique (body) deferrable initially deferred`,
    )
    const scope = inTransaction(async (db) => {
      await insert(db, 'twice')
      await insert(db, 'twice')
    })
    await expect(scope).rejects.toMatchObject({ code: '23505', constraint: 'late' })
    await database.admin.query(`alter table ${acme.schema}.notes drop constraint late`)
    await expectNotes(acme, [])
  })

  it('waits for statements that the function did not await', async () => {
    const { acme } = given()
    await inTransaction(async (db) => {
      void insert(db, 'one')
      void insert(db, 'two')
    })
    await expectNotes(acme, ['one', 'two'])
  })

  it('takes no client and opens nothing without a query', async () => {
    const { router, pool, acme } = given()
    await router.tenants.get(acme.slug)
    let acquired = 0
    const count = (): number => (acquired += 1)
    pool.on('acquire', count)
    const result = await router.withTenant(acme.slug, async () => 7, { transaction: true })
    expect(result).toBe(7)
    pool.off('acquire', count)
    expect(acquired).toBe(0)
  })

  it.each<[IsolationLevel, string]>([
    ['read committed', 'read committed'],
    ['repeatable read', 'repeatable read'],
    ['serializable', 'serializable'],
  ])('runs as %s', async (isolation, expected) => {
    const { router, acme } = given()
    const { rows } = await router.withTenant(
      acme.slug,
      (db) => db.query('show transaction_isolation'),
      { transaction: true, isolation },
    )
    expect(rows).toEqual([{ transaction_isolation: expected }])
  })

  it('refuses writes when it is read only', async () => {
    const { router, acme } = given()
    const scope = router.withTenant(acme.slug, (db) => insert(db, 'lost'), {
      transaction: true,
      readOnly: true,
    })
    await expect(scope).rejects.toMatchObject({ code: '25006' })
    await expectNotes(acme, [])
  })

  it('can be deferrable', async () => {
    const { router, acme } = given()
    const { rows } = await router.withTenant(
      acme.slug,
      (db) => db.query('show transaction_deferrable'),
      { transaction: true, isolation: 'serializable', readOnly: true, deferrable: true },
    )
    expect(rows).toEqual([{ transaction_deferrable: 'on' }])
  })

  it('refuses an isolation level that PostgreSQL does not have', async () => {
    const { router, acme } = given()
    const level = 'serializable; drop schema public cascade' as IsolationLevel
    const scope = router.withTenant(acme.slug, (db) => insert(db, 'lost'), {
      transaction: true,
      isolation: level,
    })
    await expect(scope).rejects.toMatchObject({ code: 'OPTIONS_INVALID', option: 'isolation' })
    await expectNotes(acme, [])
  })

  it('fails when its backend is killed in the middle, and the pool goes on', async () => {
    const { router, pool, acme } = given()
    const scope = inTransaction(async (db) => {
      await insert(db, 'lost')
      await kill(await backendOf(db))
      await insert(db, 'lost as well')
    })
    await expect(scope).rejects.toThrow(/terminat|not queryable/)
    await expectNotes(acme, [])
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: acme.schema }])
    expect(pool.totalCount).toBe(1)
  })

  it('fails when its backend is killed before COMMIT', async () => {
    const { acme } = given()
    const scope = inTransaction(async (db) => {
      await insert(db, 'lost')
      await kill(await backendOf(db))
    })
    await expect(scope).rejects.toThrow(/terminat|not queryable/)
    await expectNotes(acme, [])
  })

  it('fails when the error of a killed backend was swallowed', async () => {
    const { acme } = given()
    const scope = inTransaction(async (db) => {
      const pid = await backendOf(db)
      const sleeping = db.query('select pg_sleep(30)').catch(() => {})
      await kill(pid)
      await sleeping
    })
    await expect(scope).rejects.toThrow(/terminat|not queryable/)
    await expectNotes(acme, [])
  })
})

describe('a scope without a transaction', () => {
  it('survives that its backend is killed between two queries', async () => {
    const { router, acme } = given()
    const scope = router.withTenant(acme.slug, async (db) => {
      await kill(await backendOf(db))
      return db.query('select body from notes')
    })
    await expect(scope).rejects.toThrow(/terminat|not queryable/)
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: acme.schema }])
  })

  it('survives that its backend is killed after its last query', async () => {
    const { router, acme } = given()
    await router.withTenant(acme.slug, async (db) => kill(await backendOf(db)))
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: acme.schema }])
  })

  it('survives that the backend of a client of router.pool is killed', async () => {
    const { router, acme } = given()
    const client = await router.runAs(acme.slug, () => router.pool.connect())
    await kill(await backendOf(client))
    await expect(client.query('select body from notes')).rejects.toThrow(/terminat|not queryable/)
    client.release()
    const { rows } = await router.withTenant(acme.slug, (db) => db.query('select body from notes'))
    expect(rows).toEqual([{ body: acme.schema }])
  })
})

describe('savepoint', () => {
  it('keeps what its function did', async () => {
    const { acme } = given()
    const result = await inTransaction(async (db) => {
      await insert(db, 'one')
      return db.savepoint(async () => {
        await insert(db, 'two')
        return 'its result'
      })
    })
    expect(result).toBe('its result')
    await expectNotes(acme, ['one', 'two'])
  })

  it('undoes what its function did when it throws, and the transaction goes on', async () => {
    const { acme } = given()
    const failure = new RangeError('the part has failed')
    await inTransaction(async (db) => {
      await insert(db, 'one')
      const part = db.savepoint(async () => {
        await insert(db, 'lost')
        throw failure
      })
      await expect(part).rejects.toBe(failure)
      await insert(db, 'two')
    })
    await expectNotes(acme, ['one', 'two'])
  })

  it('saves the transaction from a failed statement', async () => {
    const { acme } = given()
    await inTransaction(async (db) => {
      const part = db.savepoint(() => db.query('nonsense'))
      await expect(part).rejects.toMatchObject({ code: '42601' })
      await insert(db, 'two')
    })
    await expectNotes(acme, ['two'])
  })

  it('can be the first statement, and keeps the path when it is undone', async () => {
    const { acme } = given()
    const rows = await inTransaction(async (db) => {
      await db
        .savepoint(async () => {
          await insert(db, 'lost')
          throw new Error('undone')
        })
        .catch(() => {})
      return (await db.query('select body from notes')).rows
    })
    expect(rows).toEqual([{ body: acme.schema }])
  })

  it('can be inside of another', async () => {
    const { acme } = given()
    await inTransaction((db) =>
      db.savepoint(async () => {
        await insert(db, 'outer')
        await db
          .savepoint(async () => {
            await insert(db, 'inner')
            throw new Error('undone')
          })
          .catch(() => {})
        await db.savepoint(() => insert(db, 'second'))
      }),
    )
    await expectNotes(acme, ['outer', 'second'])
  })

  it('works in a transaction of the caller’s own', async () => {
    const { router, acme } = given()
    await router.withTenant(acme.slug, async (db) => {
      await db.query('begin')
      await db.savepoint(() => db.query('nonsense')).catch(() => {})
      await db.savepoint(() => insert(db, 'one'))
      await db.query('commit')
    })
    await expectNotes(acme, ['one'])
  })

  it('tells of an error that its function has swallowed', async () => {
    const { acme } = given()
    await inTransaction(async (db) => {
      const part = db.savepoint(async () => {
        await insert(db, 'lost')
        await db.query('nonsense').catch(() => {})
      })
      await expect(part).rejects.toMatchObject({ code: '25P02' })
      await insert(db, 'kept')
    })
    await expectNotes(acme, ['kept'])
  })

  it('throws what its function throws, although the connection is lost with it', async () => {
    const { acme } = given()
    const failure = new RangeError('the part has failed')
    const scope = inTransaction((db) =>
      db.savepoint(async () => {
        await kill(await backendOf(db))
        throw failure
      }),
    )
    await expect(scope).rejects.toBe(failure)
    await expectNotes(acme, [])
  })

  it('outside of a transaction is refused, and its function is not run', async () => {
    const { router, acme } = given()
    let ran = false
    const scope = router.withTenant(acme.slug, (db) =>
      db.savepoint(async () => {
        ran = true
      }),
    )
    await expect(scope).rejects.toMatchObject({ code: '25P01' })
    expect(ran).toBe(false)
  })
})
