import type { ClientBase, PoolClient } from 'pg'
import { TenantryError } from '../errors.js'
import { quoteLiteral } from '../names/schema-name.js'
import { memoryOf } from '../postgres/client-memory.js'
import { splitStatements } from '../postgres/sql-text.js'
import { migrationFailed } from './failure.js'
import type { Migration, MigrationContext } from './source.js'
import type { UnitTarget } from './unit-target.js'

type Db = Pick<ClientBase, 'query'>

const CONTROLS: ReadonlySet<string> = new Set([
  'begin',
  'start',
  'commit',
  'end',
  'rollback',
  'abort',
])

/** Runs a migration that is written in code, in the transaction that is open on the client. */
export async function runCode(
  client: PoolClient,
  target: UnitTarget,
  migration: Migration,
): Promise<void> {
  const { schema, path, tenant, signal, kept } = target
  const context: MigrationContext = {
    schema,
    ...(tenant !== undefined && { tenant }),
    ...(signal && { signal }),
  }
  await client.query(`select pg_catalog.set_config('search_path', ${quoteLiteral(path)}, true)`)
  const lent = lend(client, migration)
  try {
    await migration.code?.up(lent.db, context)
  } catch (error) {
    throw migrationFailed(schema, error, { place: { migration }, kept })
  } finally {
    lent.revoke()
  }
}

/** A client that answers until it is revoked, and that leaves the transaction as it is. */
function lend(
  client: PoolClient,
  migration: Migration,
): { readonly db: Db; readonly revoke: () => void } {
  const memory = memoryOf(client)
  const send: (...call: readonly unknown[]) => unknown = client.query.bind(client)
  let revoked = false
  const query = (...call: readonly unknown[]): unknown => {
    if (revoked) throw closed(migration)
    const text = textOf(call[0])
    if (controls(text)) throw refused(migration, text)
    memory.noteScript(text)
    return send(...call)
  }
  const db: Db = Object.freeze({ query: Object.assign(query) })
  return { db, revoke: () => (revoked = true) }
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null || !('text' in query)) return ''
  return typeof query.text === 'string' ? query.text : ''
}

/** Going back to a savepoint is the code's own business. */
function controls(text: string): boolean {
  return splitStatements(text).some(
    ({ words: [first = '', second, third] }) =>
      CONTROLS.has(first) && second !== 'to' && third !== 'to',
  )
}

function closed({ fileName }: Migration): TenantryError {
  return new TenantryError(
    'SCOPE_CLOSED',
    `${fileName} used its client after it had ended. Await every query before the function returns.`,
    { migration: fileName },
  )
}

function refused({ fileName }: Migration, statement: string): TenantryError {
  return new TenantryError(
    'STATEMENT_REFUSED',
    `${fileName} is part of its schema's transaction, so it cannot begin or end one. ` +
      'Remove the statement, or use a savepoint.',
    { migration: fileName, statement: statement.slice(0, 500) },
  )
}
