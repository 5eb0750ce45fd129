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
  const sets = setsOf(schemas)
  if (sets.has(set)) return sets.get(set)
  const names = [...sets.keys()].filter((name) => name !== 'tenant').join(', ')
  throw invalid(`There is no set ${JSON.stringify(set)}. The configuration has ${names}.`)
}

/** All sets by what they may be called; the names of schemas come before those of kinds. */
function setsOf(schemas: SchemasOptions): ReadonlyMap<string, Migrations | undefined> {
  const statics = Object.entries(schemas.static ?? {})
  const shared = schemas.shared?.migrations
  const tenants = schemas.tenants?.migrations
  return new Map<string, Migrations | undefined>([
    ['shared', shared],
    ['tenants', tenants],
    ['tenant', tenants],
    // More than one static schema: only their names tell which is meant.
    ...statics
      .slice(0, statics.length === 1 ? 1 : 0)
      .map(([, { migrations }]) => ['static', migrations] as const),
    [schemas.shared?.name ?? 'public', shared],
    ...statics.map(([name, { migrations }]) => [name, migrations] as const),
  ])
}

function invalid(sentence: string): TenantryError {
  return usageError('set', sentence)
}
