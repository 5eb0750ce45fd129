import type { PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { type Prelude, explainPrelude } from './prelude.js'
import { toError } from './sql-state.js'

interface Probe {
  readonly path: string
  readonly pid: number
  readonly temporary: boolean
}

const PROBE = `select current_setting('search_path') as path, pg_backend_pid() as pid,
  pg_my_temp_schema() <> 0 as temporary`

/**
 * Sets the path of a schema for the whole session, for statements that refuse a transaction.
 *
 * A pooler in transaction mode would hand the next statement to another backend, and this one, with
 * its path, to somebody else. Poolers make up the process id that a client is told, so a backend
 * that says another one is behind a pooler: then nothing is set.
 *
 * @param poolerKeepsSession The caller knows that the pooler in between is in session mode.
 * @returns the path that the session had before.
 * @throws `POOLER_IN_BETWEEN`, `SCHEMA_MISSING`
 */
export async function fixPath(
  client: PoolClient,
  prelude: Prelude,
  poolerKeepsSession: boolean,
): Promise<string> {
  const before = await probe(client)
  if (before.pid !== Reflect.get(client, 'processID') && !poolerKeepsSession) throw pooler(prelude)
  // Nobody's temporary table may stand where the schema has none of that name.
  if (before.temporary) await client.query('discard temp')
  await client
    .query(prelude.sessionText, [...prelude.values])
    .catch((error: unknown) => Promise.reject(explainPrelude(toError(error), prelude)))
  const after = await probe(client)
  if (after.pid !== before.pid || after.path !== prelude.path) throw pooler(prelude)
  return before.path
}

/** Gives the session the path back that it had, and looks whether it has it. */
export async function restorePath(client: PoolClient, path: string): Promise<void> {
  await client.query(`select set_config('search_path', $1, false)`, [path])
  const { path: found } = await probe(client)
  if (found !== path) throw new Error('the search_path could not be restored')
}

async function probe(client: PoolClient): Promise<Probe> {
  const { rows } = await client.query<Probe>(PROBE)
  const [row] = rows
  if (row === undefined) throw new Error('the session did not answer')
  return row
}

function pooler({ schema }: Prelude): TenantryError {
  return new TenantryError(
    'POOLER_IN_BETWEEN',
    'A session scope needs a connection of its own, but a pooler is in between. Connect to ' +
      'PostgreSQL directly for this, or set scope.pooler to "session" if the pooler is in session mode.',
    { schema },
  )
}
