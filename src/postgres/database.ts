import type { PoolClient } from 'pg'
import { memoryOf } from './session/client-memory.js'
import type { Prelude } from './statement/prelude.js'
import type { Queryable } from './queryable.js'

/** What the package itself runs on the pool, outside of any scope. */
export interface Database extends Queryable {
  /** Runs `work` on a client in one transaction: committed when it resolves, else rolled back. */
  transaction<R>(work: (client: PoolClient) => Promise<R>): Promise<R>
  /** Lends a client to work that begins and commits by itself; what it fails in is rolled back. */
  lend<R>(work: (client: PoolClient) => Promise<R>): Promise<R>
  /**
   * Runs `work` on a client whose path is set for the session, for what refuses a transaction.
   *
   * @throws `POOLER_IN_BETWEEN`, `SCHEMA_MISSING`
   */
  session<R>(prelude: Prelude, work: (client: PoolClient) => Promise<R>): Promise<R>
  /**
   * Awaits work on this database that others may await as well, such as a look-up by key.
   *
   * @throws `POOL_STARVED` when the caller holds the client that the work waits for
   */
  attend<R>(work: () => Promise<R>): Promise<R>
}

/** Lends a client while `work` runs; one that `isUnfit` says so of is destroyed afterwards. */
export type Lend = <R>(
  work: (client: PoolClient) => Promise<R>,
  isUnfit: (client: PoolClient) => boolean,
) => Promise<R>

/** Whatever the server's default is: behind a lock, what it has waited for must be seen. */
export const BEGIN = 'begin isolation level read committed'

/** What a {@link Database} is made of. */
export interface DatabaseParts {
  readonly lend: Lend
  readonly attend: Database['attend']
  /** Asked at each use; see {@link fixPath}. */
  readonly poolerKeepsSession: () => boolean
}

/** A {@link Database} on the clients that `lend` lends. */
export function databaseOn({ lend, attend, poolerKeepsSession }: DatabaseParts): Database {
  return {
    attend,
    lend: (work) => endClean(lend, work),
    session: (prelude, work) =>
      inSession(lend, { prelude, poolerKeepsSession: poolerKeepsSession() }, work),
    query: (text, values) =>
      lend(
        (client) => client.query(text, values && [...values]),
        () => false,
      ),
    transaction: (work) =>
      endClean(lend, async (client) => {
        await client.query(BEGIN)
        const result = await work(client)
        await client.query('commit')
        return result
      }),
  }
}

/** A client that cannot be rolled back is destroyed. */
function endClean<R>(lend: Lend, work: (client: PoolClient) => Promise<R>): Promise<R> {
  let broken = false
  return lend(
    async (client) => {
      try {
        return await work(client)
      } catch (error) {
        broken = await client.query('rollback').then(
          () => false,
          () => true,
        )
        throw error
      }
    },
    (client) => broken || memoryOf(client).leavings.size > 0,
  )
}

/** A client that could not be given back what it had is destroyed. */
function inSession<R>(
  lend: Lend,
  { prelude, poolerKeepsSession }: { prelude: Prelude; poolerKeepsSession: boolean },
  work: (client: PoolClient) => Promise<R>,
): Promise<R> {
  let broken = true
  return lend(
    async (client) => {
      const { fixPath, restoreSettings } = await import('./session/fixed-session.js')
      const former = await fixPath(client, prelude, poolerKeepsSession)
      try {
        return await work(client)
      } finally {
        broken = await restoreSettings(client, former).then(
          () => false,
          () => true,
        )
      }
    },
    (client) => broken || memoryOf(client).leavings.size > 0,
  )
}
