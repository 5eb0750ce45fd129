import type { Database } from '../../postgres/database.js'
import { optionInvalid } from '../../support/options.js'

/**
 * What no two databases have in common: when their server was started, to the microsecond, and the
 * database's number on it. `pg_control_system()` would say it better, and asks for rights.
 */
const IDENTITY = `select pg_postmaster_start_time()::text || ' ' || oid::text as identity
  from pg_catalog.pg_database where datname = current_database()`

/** Refuses to move a tenant to where it is. @throws `OPTIONS_INVALID` */
export async function requireOtherDatabase(from: Database, to: Database): Promise<void> {
  const [here, there] = await Promise.all([identityOf(from), identityOf(to)])
  if (here !== there) return
  throw optionInvalid(
    'to',
    'Option "to" is a router on the same database. Give one on another database, or use ' +
      'tenants.clone() or tenants.rename().',
  )
}

async function identityOf(db: Database): Promise<string | undefined> {
  const { rows } = await db.query<{ identity: string }>(IDENTITY)
  return rows[0]?.identity
}
