import type { Pool } from 'pg'
import { makeFleet } from '../fleet.js'
import { table } from '../measure.js'
import { openPool, openServer } from '../server.js'

/**
 * What a fleet takes on disk before it holds a row, and how many locks a schema needs:
 * `npx tsx bench/limits/run.ts`. Sizes and counts only; nothing here depends on the machine's speed.
 */
const FLEETS = (process.env['TENANTRY_BENCH_TENANTS'] ?? '100,1000').split(',').map(Number)
const TABLES = 20

async function run(): Promise<void> {
  const rows: string[][] = []
  for (const tenants of FLEETS) {
    await using server = await openServer()
    const admin = openPool(server.url, 2)
    if (rows.length === 0) console.log(`${server.description}; schemas of ${TABLES} tables\n`)
    const before = await sizesOf(admin)
    await makeFleet(admin, { tenants, tables: TABLES })
    await admin.query('checkpoint')
    const after = await sizesOf(admin)
    const each = (what: keyof Sizes): string =>
      String(Math.round((after[what] - before[what]) / tenants))
    rows.push([
      String(tenants),
      `${(after.catalogs / 2 ** 20).toFixed(0)} MB`,
      `${(after.database / 2 ** 20).toFixed(0)} MB`,
      each('relations'),
      each('files'),
      String(await locksToDrop(admin)),
    ])
    await admin.end()
  }
  const head = [
    'tenants',
    'catalogs',
    'database',
    'relations each',
    'files each',
    'locks to drop one',
  ]
  console.log(table(head, rows))
}

interface Sizes {
  readonly catalogs: number
  readonly database: number
  readonly relations: number
  readonly files: number
}

async function sizesOf(admin: Pool): Promise<Sizes> {
  const { rows } = await admin.query<Record<keyof Sizes, string>>(`
    select sum(pg_total_relation_size(oid)) filter (
        where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r') as catalogs,
      pg_database_size(current_database()) as database,
      count(*) as relations,
      count(*) filter (where pg_relation_filenode(oid) is not null) as files
    from pg_class`)
  const [sizes] = rows
  if (sizes === undefined) throw new Error('A count has no row.')
  const { catalogs, database, relations, files } = sizes
  return {
    catalogs: Number(catalogs),
    database: Number(database),
    relations: Number(relations),
    files: Number(files),
  }
}

async function locksToDrop(admin: Pool): Promise<number> {
  const client = await admin.connect()
  try {
    const { rows: schemas } = await client.query<{ name: string }>(
      `select nspname as name from pg_namespace where nspname like 'tenant\\_%' order by 1 limit 1`,
    )
    await client.query('begin')
    await client.query(`drop schema "${schemas[0]?.name ?? ''}" cascade`)
    const { rows } = await client.query<{ locks: string }>(
      'select count(*) as locks from pg_locks where pid = pg_backend_pid()',
    )
    return Number(rows[0]?.locks)
  } finally {
    await client.query('rollback')
    client.release()
  }
}

await run()
