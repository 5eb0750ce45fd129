import { randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import { type SchemaName, parseSchemaName } from '../../names/schema-name.js'
import type { Database } from '../../postgres/database.js'
import { openTransaction } from '../../postgres/open-transaction.js'
import type { TenantRegistry } from '../../registry/registry.js'
import { type FleetSchema, SCHEMA_KINDS } from '../../selector/selector.js'
import { type SchemaLayout, pathOf } from '../layout.js'
import type { Migration } from '../source.js'
import type { UnitTarget } from '../unit/unit-target.js'
import { applyPending, migrateSchema } from '../unit/unit.js'
import { type SchemaDescription, describeSchemas, digestSchemas } from './describe.js'
import { withReferenceDatabase } from './reference-database.js'
import { reasonOf } from '../../support/is-error.js'
import { present } from '../../support/present.js'

/** A migration set, and up to where some schema has had it. */
export interface ReferenceSet {
  /** The name in the layout; `undefined` for the tenants, which share a set. */
  readonly schema: SchemaName | undefined
  readonly kind: FleetSchema['kind']
  readonly migrations: readonly Migration[]
  /** How many migrations of the set the schemas to be compared have had. */
  readonly counts: ReadonlySet<number>
}

/** What a schema has to look like. */
export interface Reference {
  readonly digest: string
  readonly description: SchemaDescription
}

/** References by their set and the number of migrations. */
export type References = ReadonlyMap<ReferenceSet, ReadonlyMap<number, Reference>>

/** Where the references were made. */
export interface ReferencePlace {
  /**
   * `database`: in a database of their own. `transaction`: beside the schemas of the service, in a
   * transaction that was rolled back; migrations that look into catalogs without naming the schema
   * may have been misled there as they were in the tenants.
   */
  readonly place: 'database' | 'transaction'
  /** Why it was no database of their own. */
  readonly reason?: string
}

/** What references are made with. */
export interface ReferenceParts {
  readonly db: Database
  readonly pool: Pool
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
  readonly lockTimeoutMs: number
}

const TENANT = parseSchemaName('tenantry_reference')

/** Builds every set alone, at each number of migrations that is asked for; nothing is left of it. */
export async function buildReferences(
  parts: ReferenceParts,
  sets: readonly ReferenceSet[],
): Promise<ReferencePlace & { readonly references: References }> {
  const inOrder = sets.toSorted(
    (a, b) => SCHEMA_KINDS.indexOf(a.kind) - SCHEMA_KINDS.indexOf(b.kind),
  )
  try {
    const references = await withReferenceDatabase(parts.db, parts.pool, (alone) =>
      buildAlone(alone, parts, inOrder),
    )
    return { place: 'database', references }
  } catch (error) {
    const reason = reasonOf(error)
    return { place: 'transaction', reason, references: await buildBeside(parts, inOrder) }
  }
}

/** One set after the other, because those of the tenants may need what the others bring. */
async function buildAlone(
  alone: Database,
  parts: ReferenceParts,
  sets: readonly ReferenceSet[],
): Promise<References> {
  await parts.registry.install(alone)
  const references = new Map<ReferenceSet, Map<number, Reference>>()
  for (const set of sets) {
    const schema = set.schema ?? TENANT
    const made = new Map<number, Reference>()
    for (const count of ascending(set.counts)) {
      await build(alone, targetOf(parts, set, { schema, count }))
      made.set(count, await referenceOf(alone, schema))
    }
    const all = set.migrations.length
    if (set.kind !== 'tenant') await build(alone, targetOf(parts, set, { schema, count: all }))
    references.set(set, made)
  }
  return references
}

function build(alone: Database, target: UnitTarget): Promise<void> {
  return migrateSchema(alone, target, { steps: [], alone: [], split: false, begun: false })
}

async function buildBeside(
  parts: ReferenceParts,
  sets: readonly ReferenceSet[],
): Promise<References> {
  const references = new Map<ReferenceSet, Map<number, Reference>>()
  for (const set of sets) {
    const made = new Map<number, Reference>()
    for (const count of ascending(set.counts))
      made.set(count, await buildRolledBack(parts, set, count))
    references.set(set, made)
  }
  return references
}

/** Ends the transaction that has made a reference. */
class RolledBack extends Error {
  readonly reference: Reference

  constructor(reference: Reference) {
    super('The reference was made, and is taken back.')
    this.reference = reference
  }
}

async function buildRolledBack(
  parts: ReferenceParts,
  set: ReferenceSet,
  count: number,
): Promise<Reference> {
  const schema = parseSchemaName(`${TENANT}_${randomBytes(4).toString('hex')}`)
  try {
    return await parts.db.transaction<never>(async (client) => {
      await applyPending(client, targetOf(parts, set, { schema, count }))
      throw new RolledBack(await referenceOf(openTransaction(client), schema))
    })
  } catch (error) {
    if (error instanceof RolledBack) return error.reference
    throw error
  }
}

async function referenceOf(db: Database, schema: SchemaName): Promise<Reference> {
  const digests = await digestSchemas(db, [schema])
  const descriptions = await describeSchemas(db, [schema])
  return { digest: present(digests.get(schema)), description: present(descriptions.get(schema)) }
}

function targetOf(
  { layout, lockTimeoutMs }: ReferenceParts,
  { kind, migrations }: ReferenceSet,
  { schema, count }: { readonly schema: SchemaName; readonly count: number },
): UnitTarget {
  return {
    schema,
    path: pathOf(layout, schema, kind),
    migrations: migrations.slice(0, count),
    createSchema: true,
    lockTimeoutMs,
  }
}

function ascending(counts: ReadonlySet<number>): readonly number[] {
  return [...counts].toSorted((a, b) => a - b)
}
