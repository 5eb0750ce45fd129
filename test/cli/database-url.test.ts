import pg from 'pg'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { urlOf } from '../../src/cli/database-url.js'

const urlOfPool = (options: pg.PoolConfig): string =>
  urlOf({ config: { pool: new pg.Pool(options) }, url: undefined })

for (const name of ['PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGDATABASE'])
  vi.stubEnv(name, undefined)

describe('the URL of the database that a program is given', () => {
  afterEach(() => {
    for (const name of ['PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD']) vi.stubEnv(name, undefined)
  })

  it('is made of the parts of a pool, with what a URL cannot have as it is encoded', () => {
    const database = { host: 'db.test', port: 6432, database: 'app/1' }
    expect(urlOfPool({ ...database, user: 'me', password: 's/c@t' })).toBe(
      'postgresql://me:s%2Fc%40t@db.test:6432/app%2F1',
    )
    expect(urlOfPool(database)).toBe('postgresql://db.test:6432/app%2F1')
  })

  it('takes from the environment what the pool does not say', () => {
    expect(urlOfPool({ database: 'app' })).toBe('postgresql://localhost:5432/app')
    vi.stubEnv('PGHOST', '/var/run/postgresql')
    vi.stubEnv('PGPORT', '5433')
    vi.stubEnv('PGUSER', 'me')
    vi.stubEnv('PGPASSWORD', 'secret')
    expect(urlOfPool({ database: 'app' })).toBe(
      'postgresql://me:secret@%2Fvar%2Frun%2Fpostgresql:5433/app',
    )
  })

  it('is the one that was given, or that of the pool', () => {
    const pool = new pg.Pool({ connectionString: 'postgres://pool.test/app' })
    expect(urlOf({ config: { pool }, url: undefined })).toBe('postgres://pool.test/app')
    expect(urlOf({ config: { pool }, url: 'postgres://given.test/app' })).toBe(
      'postgres://given.test/app',
    )
  })

  it('cannot be made where a function makes the password', () => {
    expect(() => urlOfPool({ user: 'me', password: () => 'token' })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', option: 'databaseUrl' }),
    )
  })
})
