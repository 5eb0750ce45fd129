import type { Pool } from 'pg'
import { SchemaRouter, type SchemaRouterOptions, type SchemasOptions } from 'tenantry'
import type { TestDatabase } from '../support/database.js'
import type { FleetFiles, MigrationFolders } from '../support/migration-folder.js'

/** A fleet of its own for one test. */
export interface Fleet {
  readonly router: SchemaRouter
  readonly prefix: string
  readonly shared: string
  readonly pool: Pool
  readonly schemas: SchemasOptions
  /** Another process: a pool and a router of its own on the same fleet. */
  another(): SchemaRouter
  /** One value of the first row. */
  one(text: string, ...values: readonly unknown[]): Promise<unknown>
  schemaExists(schema: string): Promise<boolean>
}

/** Options of the router besides its pool and schemas. */
export interface FleetOptions extends Pick<SchemaRouterOptions, 'hooks' | 'registry'> {
  readonly searchShared?: boolean
  readonly autoCreateSchema?: boolean
}

/**
 * Opens a fleet whose tenants are called `<prefix><slug>`.
 *
 * @param files May be told by the prefix, where schemas refer to each other.
 */
export async function openFleet(
  database: TestDatabase,
  migrations: MigrationFolders,
  files: FleetFiles | ((prefix: string) => FleetFiles),
  { searchShared = false, autoCreateSchema = true, ...options }: FleetOptions = {},
): Promise<Fleet> {
  const prefix = database.prefix()
  const pool = database.pool()
  const shared = `shared_${prefix}`
  const plain = await migrations.fleet(prefix, typeof files === 'function' ? files(prefix) : files)
  const schemas = {
    ...plain,
    tenants: { ...plain.tenants, searchPath: searchShared ? [shared] : [], autoCreateSchema },
  }
  const another = (): SchemaRouter =>
    new SchemaRouter({ pool: database.pool(), schemas, ...options })
  const one: Fleet['one'] = async (text, ...values) => {
    const { rows } = await database.admin.query<Record<string, unknown>>(text, [...values])
    return Object.values(rows[0] ?? {})[0]
  }
  return {
    router: new SchemaRouter({ pool, schemas, ...options }),
    prefix,
    shared,
    pool,
    schemas,
    another,
    one,
    schemaExists: async (schema) =>
      (await one('select count(*)::int from pg_namespace where nspname = $1', schema)) === 1,
  }
}
