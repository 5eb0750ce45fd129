import type { Pool } from 'pg'
import type { Database } from '../postgres/database.js'
import { type FleetSchema, select } from '../selector/selector.js'
import { listOf, wholeNumber } from '../support/options.js'
import { withBridgedPending } from './bridged-run.js'
import { type SelectionParts, chooseSchemas } from './choose-schemas.js'
import { bridgeOf, loadSets } from './layout.js'
import { type SchemaState, readStates } from './ledger.js'
import type { SelectOptions, StatusOptions } from './run-options.js'
import type { Migration } from './source.js'
import type { SpareSchemas } from './spares.js'
import { ABSENT, type SchemaPlan, type SchemaStatus, statusOf } from './status.js'

/** What a {@link Migrator} works with. */
export interface MigratorParts extends SelectionParts {
  readonly db: Database
  /** The pool beneath, for a database of its own beside the service's. */
  readonly pool: Pool
  /** Schemas that are kept ready for new tenants, where the service wants any. */
  readonly spares?: SpareSchemas | undefined
}

/** The selected schemas, and what is known of each. */
export interface Selection {
  readonly schemas: readonly FleetSchema[]
  readonly migrationsOf: (schema: FleetSchema) => readonly Migration[]
  readonly stateOf: (schema: FleetSchema) => SchemaState
}

/** The schemas that the options select. */
export async function selectSchemas(
  parts: MigratorParts,
  options: SelectOptions,
): Promise<readonly FleetSchema[]> {
  const exclude = listOf('exclude', options.exclude ?? [])
  const limit = options.limit === undefined ? Infinity : wholeNumber('limit', options.limit, 1)
  const behind = async (): Promise<ReadonlySet<string>> =>
    behindIn(parts, await loadSelection(parts, {}))
  const selector = options.select ?? select.all()
  const schemas = await chooseSchemas(parts, { selector, exclude, behind })
  const tenants = schemas.filter(({ kind }) => kind === 'tenant')
  if (tenants.length <= limit) return schemas
  const migrationsOf = await loadSets(parts.layout)
  const late = await behindIn(parts, await observe(parts, { schemas: tenants, migrationsOf }, {}))
  const inTurn = tenants.toSorted((a, b) => Number(late.has(b.schema)) - Number(late.has(a.schema)))
  const left = new Set(inTurn.slice(limit))
  return schemas.filter((schema) => !left.has(schema))
}

async function behindIn(parts: MigratorParts, selection: Selection): Promise<ReadonlySet<string>> {
  const statuses = await statusesOf(parts, selection)
  const late = statuses.filter(({ pending }) => pending.length > 0)
  return new Set(late.map(({ schema }) => schema))
}

/** The selected schemas with their sets and their states. */
export async function loadSelection(
  parts: MigratorParts,
  options: StatusOptions,
): Promise<Selection> {
  const migrationsOf = await loadSets(parts.layout)
  const schemas = await selectSchemas(parts, options)
  return observe(parts, { schemas, migrationsOf }, options)
}

/** Reads the states of schemas. */
export async function observe(
  { db }: MigratorParts,
  { schemas, migrationsOf }: Pick<Selection, 'schemas' | 'migrationsOf'>,
  { deep }: StatusOptions,
): Promise<Selection> {
  const requests = schemas.map((each) => ({
    schema: each.schema,
    migrations: migrationsOf(each),
  }))
  const states = requests.length === 0 ? new Map() : await readStates(db, requests, deep)
  return { schemas, migrationsOf, stateOf: ({ schema }) => states.get(schema) ?? ABSENT }
}

/** Completes the plans of schemas whose migrations another tool runs, in transactions of its own. */
export async function withBridgedPlans(
  parts: MigratorParts,
  selection: Selection,
  plans: readonly SchemaPlan[],
): Promise<readonly SchemaPlan[]> {
  const isBridged = (schema: FleetSchema): boolean => bridgeOf(parts.layout, schema) !== undefined
  if (!selection.schemas.some(isBridged)) return plans
  const statuses = await statusesOf(parts, selection)
  return plans.map((plan, at) => {
    const [schema, status] = [selection.schemas[at], statuses[at]]
    if (schema === undefined || status === undefined || !isBridged(schema)) return plan
    const { pending, problem } = status
    return { ...plan, run: pending, atomic: false, ...(problem && { problem }) }
  })
}

/** How the schemas of a selection stand. */
export function statusesOf(
  { db, layout }: MigratorParts,
  { schemas, stateOf, migrationsOf }: Selection,
): Promise<readonly SchemaStatus[]> {
  const statuses = schemas.map((each) => statusOf(each, stateOf(each), migrationsOf(each)))
  return withBridgedPending(db, layout, { schemas, statuses })
}
