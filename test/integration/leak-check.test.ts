import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { useDatabase } from '../support/database.js'
import { findLeaks, leakError } from '../support/leak-check.js'
import { backendOf } from '../support/tracked-pool.js'

const database = useDatabase()

// Short, because these tests wait it out on purpose.
const sentences = async (): Promise<readonly string[]> => {
  const leaks = await findLeaks({ ...database.leakCheck(), patienceMs: 50 })
  return leaks.map(({ sentence }) => sentence)
}

describe('findLeaks', () => {
  it('finds nothing after a query of a pool', async () => {
    await database.pool().query('select 1')
    expect(await sentences()).toEqual([])
  })

  it('finds a client that was not returned, with its backend and last query', async () => {
    const client = await database.pool().connect()
    await client.query('select 42')
    const found = await sentences()
    client.release()
    expect(found).toEqual([
      `a client was not returned to its pool: backend ${backendOf(client)} is idle; last query: select 42`,
    ])
  })

  it('finds a caller that still waits for a client', async () => {
    const pool = database.pool({ max: 1 })
    const client = await pool.connect()
    const waiting = pool.connect()
    const found = await sentences()
    client.release()
    const late = await waiting
    late.release()
    expect(found).toContain('1 callers still wait for a client of a pool')
  })

  it('finds an open transaction on a connection that no pool knows', async () => {
    const client = await connect()
    await client.query('begin')
    const found = await sentences()
    await client.end()
    expect(found).toEqual([
      `backend ${backendOf(client)} is idle in transaction, in a transaction; last query: begin`,
    ])
  })

  it('finds a client that was returned in a transaction', async () => {
    const pool = database.pool({ max: 1 })
    await pool.query('begin')
    const found = await sentences()
    await pool.query('rollback')
    expect(found).toEqual([expect.stringContaining('is idle in transaction')])
  })

  it('finds a lock on a relation', async () => {
    const client = await connect()
    await client.query('begin')
    await client.query('lock table pg_class in share mode')
    const found = await sentences()
    await client.end()
    expect(found).toEqual([expect.stringContaining('holds relation ShareLock')])
  })

  it('finds an advisory lock that a session still holds', async () => {
    const client = await connect()
    await client.query('select pg_advisory_lock(7)')
    const found = await sentences()
    await client.end()
    expect(found).toEqual([
      `backend ${backendOf(client)} is idle, holds advisory ExclusiveLock; last query: select pg_advisory_lock(7)`,
    ])
  })

  it('waits for a client that comes back late', async () => {
    const client = await database.pool().connect()
    const found = findLeaks(database.leakCheck())
    setImmediate(() => client.release())
    expect(await found).toEqual([])
  })

  it('waits for a backend whose client was destroyed in a transaction', async () => {
    const client = await database.pool().connect()
    await client.query('begin')
    client.release(true)
    expect(await findLeaks(database.leakCheck())).toEqual([])
  })

  it('leaves out backends that were reported before', async () => {
    const client = await connect()
    await client.query('begin')
    const pid = backendOf(client) ?? 0
    const check = { ...database.leakCheck(), patienceMs: 50, known: new Set([pid]) }
    const found = await findLeaks(check)
    await client.end()
    expect(found).toEqual([])
  })
})

describe('leakError', () => {
  it('names every leak', () => {
    const error = leakError([{ sentence: 'one' }, { sentence: 'two' }])
    expect(error.message).toBe('The test left something behind:\n- one\n- two')
  })
})

describe('useDatabase', () => {
  it('fails a test that leaves something behind', { fails: true }, async () => {
    const client = await database.pool().connect()
    // This holds: what fails is the check after the test.
    expect(await client.query('select 1')).toMatchObject({ rowCount: 1 })
  })

  it('does not fail the test after that', async () => {
    const { rows } = await database.pool().query('select current_database() as name')
    expect(rows).toEqual([{ name: database.name }])
  })

  it('gives each call a prefix of its own', () => {
    expect(database.prefix()).not.toBe(database.prefix())
  })

  it('gives the administrator a pool to the same database', async () => {
    const { rows } = await database.admin.query('select current_database() as name')
    expect(rows).toEqual([{ name: database.name }])
  })
})

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  return client
}
