import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Pool, PoolConfig } from 'pg'
import { quoteIdent } from '../../names/schema-name.js'
import { type Database, databaseOn } from '../../postgres/database.js'
import { configOf } from '../../postgres/pool-config.js'
import { present } from '../../support/present.js'

/** What the names of databases for references begin with; then come the time and chance. */
const PREFIX = 'tenantry_reference_'
/** Between `create database` and the first connection nothing else says that one is in use. */
const LEFTOVER_SECONDS = 600

interface HomeRow {
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  readonly now: string
}

/**
 * Lends `work` an empty database on the same server, with the same extensions, and drops it.
 *
 * Such databases that a crash has left are dropped too: those of some age that nobody is connected
 * to; the server refuses to drop one that is in use.
 */
export async function withReferenceDatabase<R>(
  db: Database,
  pool: Pool,
  work: (reference: Database) => Promise<R>,
): Promise<R> {
  const { rows } = await db.query<HomeRow>(
    `select pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collate,
       d.datctype as ctype, extract(epoch from now())::bigint::text as now
     from pg_database d where d.datname = current_database()`,
  )
  const home = present(rows[0])
  await dropLeftovers(db, Number(home.now))
  const name = `${PREFIX}${home.now}_${randomBytes(4).toString('hex')}`
  const config = configFor(pool, name)
  await db.query(
    `create database ${quoteIdent(name)} template template0 encoding ${quoteIdent(home.encoding)}
     lc_collate ${quoteIdent(home.collate)} lc_ctype ${quoteIdent(home.ctype)}`,
  )
  try {
    return await inDatabase(config, async (reference) => {
      await copyExtensions(db, reference)
      return work(reference)
    })
  } finally {
    // Without force, which an autovacuum worker there would refuse to all but superusers. What cannot
    // be dropped now is dropped as a leftover by a later run.
    await db.query(`drop database if exists ${quoteIdent(name)}`).catch(() => {})
  }
}

async function dropLeftovers(db: Database, now: number): Promise<void> {
  const { rows } = await db.query<{ readonly name: string }>(
    `select datname as name from pg_database where datname ~ $1
     and split_part(datname, '_', 3)::bigint < $2`,
    [`^${PREFIX}[0-9]{1,12}_[0-9a-f]{8}$`, now - LEFTOVER_SECONDS],
  )
  for (const { name } of rows) {
    // Without force: one in use, or of another role, stays.
    await db.query(`drop database if exists ${quoteIdent(name)}`).catch(() => {})
  }
}

function configFor(pool: Pool, database: string): PoolConfig {
  const config: PoolConfig = { ...configOf(pool), database, max: 1 }
  const { connectionString } = config
  if (connectionString === undefined) return config
  if (!URL.canParse(connectionString)) {
    throw new Error('the connection string is no URL in which the database could be changed')
  }
  const url = new URL(connectionString)
  url.pathname = `/${database}`
  return { ...config, connectionString: url.href }
}

async function inDatabase<R>(
  config: PoolConfig,
  work: (reference: Database) => Promise<R>,
): Promise<R> {
  const pool = new pg.Pool(config)
  pool.on('error', () => {})
  const reference = databaseOn({
    lend: async (use, isUnfit) => {
      const client = await pool.connect()
      let unfit = true
      try {
        const result = await use(client)
        unfit = isUnfit(client)
        return result
      } finally {
        client.release(unfit)
      }
    },
    attend: (attended) => attended(),
    poolerKeepsSession: () => false,
  })
  try {
    return await work(reference)
  } finally {
    await pool.end()
  }
}

/** Migrations expect what the administrator has installed; a tenant's own extension is a migration's. */
async function copyExtensions(db: Database, reference: Database): Promise<void> {
  const { rows } = await db.query<{ readonly name: string; readonly schema: string }>(
    `select e.extname as name, n.nspname as schema
     from pg_extension e join pg_namespace n on n.oid = e.extnamespace
     where e.extname <> 'plpgsql' order by e.oid`,
  )
  for (const { name, schema } of rows) {
    await reference.query(`create schema if not exists ${quoteIdent(schema)}`)
    await reference.query(
      `create extension if not exists ${quoteIdent(name)} schema ${quoteIdent(schema)} cascade`,
    )
  }
}
