import { randomBytes } from 'node:crypto'
import { Client, escapeIdentifier, type Pool, type PoolConfig } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest'
import { dropDatabase, withDatabase } from './database-url.js'
import { findLeaks, leakError, type LeakCheck } from './leak-check.js'
import { openTrackedPool, type TrackedPool } from './tracked-pool.js'

/** Options of a pool; another user or database goes into `connectionString`, which pg prefers. */
type TestPoolOptions = Omit<PoolConfig, 'user' | 'password' | 'host' | 'port' | 'database'>

/** A test file's own database. */
export interface TestDatabase {
  /** URL of the administrator's connection to it. */
  readonly url: string
  readonly name: string
  /** A pool of the administrator for preparing and asserting. */
  readonly admin: Pool
  /** A pool to the database, closed after the test, or after the file if made outside of tests. */
  pool(options?: TestPoolOptions): Pool
  /** A prefix for tenants that no other call in this file gets, such as `t3_`. */
  prefix(): string
  /** What the check after each test looks at. */
  leakCheck(): LeakCheck
}

/** Another server than that of the run. */
interface TestServer {
  /** URL of an administrator. */
  readonly url: string
}

/**
 * Gives a test file its own database, and fails each test that leaves something behind in it.
 *
 * @example
 * const database = useDatabase()
 *
 * it('reads its own rows', async () => {
 *   const pool = database.pool({ max: 2 })
 *   await pool.query('select 1')
 * })
 */
export function useDatabase(server?: TestServer): TestDatabase {
  const file = new FileDatabase(server)
  beforeAll(() => file.open())
  beforeEach(() => file.enterTest())
  afterEach(() => file.leaveTest())
  afterAll(() => file.close())
  return file
}

let counter = 0

class FileDatabase implements TestDatabase {
  readonly name: string
  readonly url: string
  readonly #monitor: Client
  readonly #template: string
  readonly #filePools = new Set<TrackedPool>()
  readonly #testPools = new Set<TrackedPool>()
  readonly #reported = new Set<number>()
  #pools = this.#filePools
  #prefixes = 0
  #admin: Pool | undefined

  constructor(server?: TestServer) {
    const url = server?.url ?? inject('postgresUrl')
    this.#monitor = new Client({ connectionString: url })
    this.#template = server === undefined ? inject('templateDatabase') : 'template1'
    counter += 1
    const worker = process.env['VITEST_WORKER_ID'] ?? '0'
    // The counter starts again with each file, and so do the ids of workers in another project.
    const unique = `${worker}_${counter}_${randomBytes(3).toString('hex')}`
    this.name = `${inject('databasePrefix')}${unique}`
    this.url = withDatabase(url, this.name)
  }

  get admin(): Pool {
    this.#admin ??= this.#open({ max: 5 }, this.#filePools)
    return this.#admin
  }

  pool(options: TestPoolOptions = {}): Pool {
    return this.#open(options, this.#pools)
  }

  prefix(): string {
    this.#prefixes += 1
    return `t${this.#prefixes}_`
  }

  leakCheck(): LeakCheck {
    return {
      pools: [...this.#filePools, ...this.#testPools],
      database: this.name,
      monitor: this.#monitor,
      known: this.#reported,
    }
  }

  async open(): Promise<void> {
    await this.#monitor.connect()
    const template = escapeIdentifier(this.#template)
    await this.#monitor.query(
      `create database ${escapeIdentifier(this.name)} template ${template} strategy file_copy`,
    )
  }

  enterTest(): void {
    this.#pools = this.#testPools
  }

  async leaveTest(): Promise<void> {
    this.#pools = this.#filePools
    const leaks = await findLeaks(this.leakCheck())
    // One test's leak must not fail the tests after it as well.
    for (const { pid } of leaks) if (pid !== undefined) this.#reported.add(pid)
    for (const tracked of this.#filePools) tracked.destroyLent()
    await closeAll(this.#testPools)
    if (leaks.length > 0) throw leakError(leaks)
  }

  async close(): Promise<void> {
    await closeAll(this.#filePools)
    await dropDatabase(this.#monitor, this.name)
    await this.#monitor.end()
  }

  #open(options: TestPoolOptions, pools: Set<TrackedPool>): Pool {
    const tracked = openTrackedPool({ connectionString: this.url, ...options })
    pools.add(tracked)
    return tracked.pool
  }
}

async function closeAll(pools: Set<TrackedPool>): Promise<void> {
  await Promise.all([...pools].map((tracked) => tracked.close()))
  pools.clear()
}
