import type { PoolClient } from 'pg'
import type { CatalogItem } from '../../migration/verify/describe.js'
import { diffSchemas } from '../../migration/verify/difference.js'
import type { SchemaName } from '../../names/schema-name.js'
import { majorOf, serverVersion } from './server-version.js'
import { structureOf } from './structure-of.js'

/** A schema's structure, and the server that has described it. */
export interface DescribedStructure {
  /** The number of the server's version, such as 180004. */
  readonly server: number
  readonly structure: readonly CatalogItem[]
}

/** Describes a schema as the transaction sees it; the path is `pg_catalog` afterwards. */
export async function describeStructure(
  client: PoolClient,
  schema: SchemaName,
): Promise<DescribedStructure> {
  return { server: await serverVersion(client), structure: await structureOf(client, schema) }
}

/**
 * How a schema differs from another one, which another server may have described: a line for each
 * difference. Each major version shows definitions in its own words, so that between two of them only
 * what there is is compared.
 */
export function structureDifferences(
  wanted: DescribedStructure,
  found: DescribedStructure,
): readonly string[] {
  const isSameMajor = majorOf(wanted.server) === majorOf(found.server)
  const shown = ({ structure }: DescribedStructure): readonly CatalogItem[] =>
    isSameMajor ? structure : structure.map((item) => ({ ...item, detail: '' }))
  return diffSchemas(shown(wanted), shown(found))
}
