import type { ErrorCode } from '../../errors.js'
import { TenantryError, isTenantryError } from '../../errors.js'
import type { SchemaName } from '../../names/schema-name.js'
import type { FleetSchema } from '../../selector/selector.js'
import { loadSets } from '../layout.js'
import { type SchemaState, foreignLedger, newestId, readStates } from '../ledger.js'
import { pendingMigrations } from '../plan.js'
import { factsOf } from '../schema-facts.js'
import type { Migration } from '../source.js'
import { describeSchemas, digestSchemas } from './describe.js'
import { diffSchemas } from './difference.js'
import {
  type Reference,
  type ReferenceParts,
  type ReferencePlace,
  type ReferenceSet,
  buildReferences,
} from './reference.js'
import { referenceSets } from './reference-sets.js'
import { present } from '../../support/present.js'

/** A schema that is not what its migrations make. */
export interface VerifyFinding {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  /** Slug of the tenant that owns the schema. */
  readonly tenant?: string
  /** `SCHEMA_DRIFT`, or the code of the `error` for which it could not be compared. */
  readonly code: ErrorCode
  /** Id of the newest migration that the schema has had; 0 for none. */
  readonly version: number
  /**
   * A line for each difference: `-` is missing, `+` is too much, `~` is different, as it has to be →
   * as it is.
   */
  readonly differences: readonly string[]
  readonly error?: Error
}

/** What `migrations.verify` found. */
export interface VerifyReport {
  /** Empty when every schema is what its migrations make. */
  readonly findings: readonly VerifyFinding[]
  /** How many schemas were compared; those without a migration set are not. */
  readonly compared: number
  /** Where the references were built, and why not in a database of their own. */
  readonly reference: ReferencePlace
}

/** A schema with the set that it comes from. */
interface Subject {
  readonly schema: FleetSchema
  readonly set: ReferenceSet
  readonly state: SchemaState
}

/**
 * Compares schemas with references that are built from the same migrations, alone.
 *
 * Two digests tell whether a schema differs; only of those that do is more fetched.
 */
export async function verifySchemas(
  parts: ReferenceParts,
  schemas: readonly FleetSchema[],
): Promise<VerifyReport> {
  const migrationsOf = await loadSets(parts.layout)
  const ours = schemas.filter((schema) => migrationsOf(schema).length > 0)
  const states = await readStates(
    parts.db,
    ours.map((schema) => ({ schema: schema.schema, migrations: migrationsOf(schema) })),
    true,
  )
  const findings = new Map<FleetSchema, VerifyFinding>()
  const subjects: Subject[] = []
  const sets = referenceSets(parts.layout, migrationsOf)
  for (const schema of ours) {
    const state = present(states.get(schema.schema))
    const migrations = migrationsOf(schema)
    const error = problemOf(schema, state, migrations)
    if (error === undefined) subjects.push({ schema, state, set: sets.take(schema, state) })
    else findings.set(schema, { ...named(schema, state), code: error.code, differences: [], error })
  }
  const { references, ...reference } = await buildReferences(parts, sets.needed())
  const drifted = await compare(parts, subjects, ({ set, state }) =>
    references.get(set)?.get(state.applied.length),
  )
  for (const finding of drifted) findings.set(finding.schema, finding.found)
  return {
    findings: ours.flatMap((schema) => findings.get(schema) ?? []),
    compared: subjects.length,
    reference,
  }
}

interface Drift {
  readonly schema: FleetSchema
  readonly found: VerifyFinding
}

async function compare(
  { db }: ReferenceParts,
  subjects: readonly Subject[],
  referenceOf: (subject: Subject) => Reference | undefined,
): Promise<readonly Drift[]> {
  const digests = await digestSchemas(db, namesOf(subjects))
  const differing = subjects.filter(
    (subject) => digests.get(subject.schema.schema) !== referenceOf(subject)?.digest,
  )
  const descriptions = await describeSchemas(db, namesOf(differing))
  return differing.flatMap((subject) => {
    const { schema, state } = subject
    const wanted = present(referenceOf(subject)).description
    const differences = diffSchemas(wanted, present(descriptions.get(schema.schema)))
    if (differences.length === 0) return []
    return [{ schema, found: { ...named(schema, state), code: 'SCHEMA_DRIFT', differences } }]
  })
}

function namesOf(subjects: readonly Subject[]): readonly SchemaName[] {
  return subjects.map(({ schema }) => schema.schema)
}

/** Why a schema cannot be compared: its ledger does not say what it is made of. */
function problemOf(
  { schema, tenant }: FleetSchema,
  { exists, foreign, applied }: SchemaState,
  migrations: readonly Migration[],
): TenantryError | undefined {
  if (!exists) return missing(schema, tenant?.slug)
  if (foreign === true) return foreignLedger(schema)
  try {
    pendingMigrations(schema, migrations, applied)
    return undefined
  } catch (error) {
    if (isTenantryError(error)) return error
    throw error
  }
}

function missing(schema: string, tenant: string | undefined): TenantryError {
  return new TenantryError(
    'SCHEMA_MISSING',
    `Schema "${schema}" does not exist. ` +
      (tenant === undefined
        ? 'Run the migrations to make it.'
        : 'Restore it from a backup with { replace: true }, or delete and purge the tenant.'),
    { schema, tenant },
  )
}

function named(
  schema: FleetSchema,
  { applied }: SchemaState,
): Pick<VerifyFinding, 'schema' | 'kind' | 'version'> {
  const version = newestId(applied)
  return { ...factsOf(schema), version }
}
