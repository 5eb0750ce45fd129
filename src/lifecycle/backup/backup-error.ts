import { TenantryError } from '../../errors.js'
import type { SchemaName } from '../../names/schema-name.js'
import type { Slug } from '../../names/slug.js'
import { firstFew } from '../../support/first-few.js'
import { optionInvalid } from '../../support/options.js'

/** The error for a schema of which the migrations do not tell all. @param tenant Its owner. */
export function structureDiffers(
  schema: SchemaName,
  differences: readonly string[],
  tenant?: Slug,
): TenantryError {
  const what = tenant === undefined ? `Schema "${schema}"` : `Tenant "${tenant}"`
  const other = tenant === undefined ? 'dump it by pg_dump.' : byDump
  return new TenantryError(
    'SCHEMA_DRIFT',
    `${what} was not backed up, because the structure of schema "${schema}" is not what its ` +
      'migrations make, and an archive has no other (- is missing, + is too much, ~ is different): ' +
      `${firstFew(differences, '; ')}. Correct the schema or the migrations, or ${other}`,
    { tenant, schema, candidates: differences },
  )
}

/** The error for a tenant whose structure comes from another tool's migrations. */
export function bridgedBackup(tenant: Slug): TenantryError {
  return optionInvalid(
    'migrations',
    `Tenant "${tenant}" cannot be backed up: another tool migrates it, so its structure cannot be ` +
      `made again at its version. To back it up as it is, ${byDump}`,
  )
}

const byDump = `use PostgreSQL's own tool by { engine: 'pg_dump' }, which takes the structure along.`
