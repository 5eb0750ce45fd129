import { type Check, type DoctorFinding, type Patient, rowOf } from './finding.js'

const OLDEST_VERSION = 150_000

/** Whether the server is new enough. */
export const version: Check = async ({ client }) => {
  const { number, text } = await rowOf<{ number: string; text: string }>(
    client,
    `select current_setting('server_version_num') as number,
            current_setting('server_version') as text`,
  )
  return versionFinding(Number(number), text)
}

/** What is said of a version: as a number, such as 150004, and for people. */
export function versionFinding(number: number, text: string): DoctorFinding {
  const base = { check: 'version', message: `PostgreSQL ${text}` }
  if (number >= OLDEST_VERSION) return { ...base, level: 'fine' }
  return { ...base, level: 'error', advice: 'Upgrade the server to PostgreSQL 15 or newer.' }
}

/** How many locks one transaction may take, and how many the biggest schema could ask for. */
export const locks: Check = async ({ client, schemas }) => {
  const biggest = await rowOf<{ allowed: string; name: string; objects: string }>(
    client,
    `select current_setting('max_locks_per_transaction') as allowed, name, objects
     from (select relnamespace::regnamespace::text as name, count(*)::int as objects
           from pg_class where relnamespace::regnamespace::text = any ($1)
             or relnamespace in (select oid from pg_namespace where nspname = any ($1))
           group by 1 union all select '', 0 order by 2 desc limit 1) as biggest`,
    [schemas],
  )
  const { name } = biggest
  const [allowed, objects] = [Number(biggest.allowed), Number(biggest.objects)]
  const message = `max_locks_per_transaction is ${allowed}; the biggest schema has ${objects} objects`
  if (objects <= allowed) return { check: 'locks', level: 'fine', message }
  return {
    check: 'locks',
    level: 'warning',
    message,
    advice: `Raise it to ${objects} or more and restart the server, or a transaction over all of ${name} may run out of locks.`,
  }
}

const DEFAULT_POOL_SIZE = 10

/** Whether the pools of the service's processes fit into the server. */
export const connections: Check = async ({ client, config }) => {
  const { free } = await rowOf<{ free: string }>(
    client,
    `select current_setting('max_connections')::int
          - current_setting('superuser_reserved_connections')::int
          - coalesce(current_setting('reserved_connections', true)::int, 0) as free`,
  )
  const size = config.pool?.options.max ?? config.poolOptions?.max ?? DEFAULT_POOL_SIZE
  const fit = Math.floor(Number(free) / size)
  const message = `a pool of ${size} clients, and ${free} connections for all: room for ${fit} processes`
  if (fit >= 2) return { check: 'connections', level: 'fine', message }
  return {
    check: 'connections',
    level: fit === 0 ? 'error' : 'warning',
    message,
    advice: 'Make the pool smaller, raise max_connections, or put PgBouncer in between.',
  }
}

/** Where statements without a scope would land. */
export const unscopedPath: Check = async ({ client, prefix }) => {
  const { path } = await rowOf<{ path: string }>(
    client,
    `select coalesce(reset_val, '') as path from pg_settings where name = 'search_path'`,
  )
  const leading = path.split(',').map((part) => part.trim().replaceAll('"', ''))
  const isEmpty = leading.every((name) => name === '')
  const message = `without a scope, the path is ${isEmpty ? 'empty' : path}`
  if (!leading.some((name) => name.startsWith(prefix))) {
    return { check: 'unscoped path', level: 'fine', message }
  }
  return {
    check: 'unscoped path',
    level: 'error',
    message,
    advice:
      'Statements without a scope would reach a tenant. Take its schema out: ALTER ROLE … RESET ' +
      'search_path, and ALTER DATABASE … RESET search_path.',
  }
}

const MUCH_CATALOG = 2 ** 30

/** How much the catalogs have grown by the number of schemas. */
export const catalog: Check = async ({ client }) => {
  const { bytes, size, relations } = await rowOf<{
    bytes: string
    size: string
    relations: string
  }>(
    client,
    `select bytes, pg_size_pretty(bytes) as size, relations
     from (select sum(pg_total_relation_size(oid))::bigint as bytes from pg_class
           where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r') as sizes,
          (select count(*) as relations from pg_class) as counts`,
  )
  return catalogFinding(Number(bytes), `the catalogs hold ${relations} relations in ${size}`)
}

/** What is said of catalogs of so many bytes. */
export function catalogFinding(bytes: number, message: string): DoctorFinding {
  if (bytes < MUCH_CATALOG) return { check: 'catalog', level: 'fine', message }
  return {
    check: 'catalog',
    level: 'warning',
    message,
    advice:
      'Every connection remembers the catalogs of the schemas that it has seen: lower ' +
      'scope.maxSchemasPerClient, let autovacuum keep up with pg_attribute, or use more databases.',
  }
}

/** Who is connected to what. */
export async function connection({ client }: Pick<Patient, 'client'>): Promise<DoctorFinding> {
  const { database, user } = await rowOf<{ database: string; user: string }>(
    client,
    'select current_database() as database, current_user as user',
  )
  return { check: 'connection', level: 'fine', message: `database ${database} as ${user}` }
}
