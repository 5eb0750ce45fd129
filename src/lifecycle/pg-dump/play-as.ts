import { randomBytes } from 'node:crypto'
import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import { firstFew } from '../../support/first-few.js'
import { type Renaming, placesInside, repairRoutinePaths } from '../rename/name-in-text.js'
import { renameSchema } from '../rename/rename-schema.js'
import { holdSchema } from '../schema-lock.js'
import { markOf, markSchema, readComments } from '../schema-mark.js'
import { requireFreeName } from './free-name.js'
import { type DumpScript, playScript } from './play-script.js'
import { setLocalPath } from '../../postgres/local-path.js'

/** What an archive is to become. */
export interface PlayedAs {
  /** The name that the schema is to have. */
  readonly schema: SchemaName
  /** The text of a `search_path` for the name that it has in the archive. */
  readonly path: string
  readonly lockTimeoutMs: number
}

/**
 * Runs an archive, and gives its schema another name if that is wanted.
 *
 * An archive names its schema everywhere, also in rows. So it is made under that name, and a schema
 * that has the name meanwhile is called otherwise until then. Nobody sees that before the commit, by
 * which both have their names; whoever works in that schema goes on.
 *
 * @throws `SCHEMA_EXISTS`, `TENANT_BUSY`, `RENAME_UNSAFE`
 */
export async function playAs(
  client: PoolClient,
  script: DumpScript,
  { schema, path, lockTimeoutMs }: PlayedAs,
): Promise<void> {
  const from = script.schema
  const moves = from !== schema
  if (!moves) await requireFreeName(client, schema)
  const aside = moves ? await putAside(client, from, lockTimeoutMs) : undefined
  await setLocalPath(client, path)
  await playScript(client, script)
  if (moves) await renameSchema(client, { from, to: schema })
  if (aside !== undefined) await renameSchema(client, { from: aside, to: from })
  if (moves) await requireNoName(client, { from, to: schema })
  await client.query('set local search_path = pg_catalog')
  // What was noted of the tenant that was backed up does not hold for this one.
  if ((await markOf(client, schema)) !== undefined) await markSchema(client, schema, undefined)
}

/** Makes the name free for a while; migrations and other changes of the schema wait. */
async function putAside(
  client: PoolClient,
  schema: SchemaName,
  lockTimeoutMs: number,
): Promise<SchemaName | undefined> {
  await client.query(`set local lock_timeout = ${lockTimeoutMs}`)
  await holdSchema(client, schema)
  if (!(await readComments(client, [schema])).has(schema)) return undefined
  const aside = parseSchemaName(`tenantry_aside_${randomBytes(8).toString('hex')}`)
  await renameSchema(client, { from: schema, to: aside })
  return aside
}

async function requireNoName(client: PoolClient, renaming: Renaming): Promise<void> {
  await repairRoutinePaths(client, renaming)
  const places = await placesInside(client, renaming)
  if (places.length === 0) return
  throw new TenantryError(
    'RENAME_UNSAFE',
    `The archive cannot be restored to schema "${renaming.to}", because texts in it that PostgreSQL ` +
      `does not rewrite name the schema "${renaming.from}": ${firstFew(places, '; ')}. Everything ` +
      'was rolled back. Restore it under its own name, or take the name out of the texts by a ' +
      'migration and back the tenant up again.',
    { schema: renaming.from, candidates: places },
  )
}
