import type { Migrations, SchemasOptions, TenantryError } from 'tenantry'
import { usageError } from './usage-error.js'

/**
 * The folder of a set of migrations, as the configuration has it.
 *
 * @param set `shared`, `static` or `tenants`, or the name of a static schema.
 * @throws `OPTIONS_INVALID` where the set has no folder in the format of the package.
 */
export async function migrationFolder(schemas: SchemasOptions, set: string): Promise<string> {
  const migrations = migrationsOf(schemas, set)
  if (migrations === undefined) {
    throw invalid(`The configuration has no migrations for ${set}. Name their folder there first.`)
  }
  if (typeof migrations === 'string') return migrations
  // Only a folder in this package's own format has a migration 0: the one that makes the ledger.
  const isOurs = 'load' in migrations && (await migrations.load()).some(({ id }) => id === 0)
  if (isOurs) return migrations.origin
  throw invalid(
    `The migrations of ${set} are not in a plain folder (${migrations.origin}). Write the next one ` +
      'with the tool that they come from.',
  )
}

function migrationsOf(schemas: SchemasOptions, set: string): Migrations | undefined {
  const { shared, static: statics = {}, tenants } = schemas
  const named = statics[set]
  if (named !== undefined) return named.migrations
  if (set === 'shared' || set === shared?.name) return shared?.migrations
  if (set === 'tenants' || set === 'tenant') return tenants?.migrations
  const names = Object.keys(statics)
  const [only, ...others] = names
  if (set === 'static' && only !== undefined && others.length === 0) {
    return statics[only]?.migrations
  }
  throw invalid(`There is no set ${JSON.stringify(set)}. Say shared, tenants${orNames(names)}.`)
}

function orNames(names: readonly string[]): string {
  return names.map((name) => ` or ${name}`).join('')
}

function invalid(sentence: string): TenantryError {
  return usageError('set', sentence)
}
