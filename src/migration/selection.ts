import type { Pool } from 'pg'
import type { Database } from '../postgres/database.js'
import { type FleetSchema, select } from '../selector/selector.js'
import { listOf, wholeNumber } from '../support/options.js'
import { withBridgedPending } from './bridges/bridged-run.js'
import { type SelectionParts, chooseSchemas } from './choose-schemas.js'
import { bridgeOf, loadSets } from './layout.js'
import { type Observation, type SchemaState, observeSchemas } from './ledger.js'
import type { MigrateHooks } from './migrate-hooks.js'
import type { SelectOptions, StatusOptions } from './run/run-options.js'
import type { Migration } from './source.js'
import type { SpareSchemas } from './spares.js'
import { ABSENT, type SchemaPlan, type SchemaStatus, statusOf } from './status.js'

/** What a {@link Migrator} works with. */
export interface MigratorParts extends SelectionParts {
  readonly db: Database
  readonly hooks: MigrateHooks
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
  /** The schema of each extension, if that was asked for. */
  readonly installed?: ReadonlyMap<string, string>
}

/** How the states of schemas are read. */
export interface ObserveOptions extends Pick<StatusOptions, 'deep' | 'limit'> {
  /** Asks for the database's extensions as well. */
  readonly extensions?: boolean
}

/** The schemas that the options select. */
export async function selectSchemas(
  parts: MigratorParts,
  { limit, ...options }: SelectOptions,
): Promise<readonly FleetSchema[]> {
  const most = limitOf({ limit })
  const schemas = await selectUnlimited(parts, options)
  if (tenantsOf(schemas).length <= most) return schemas
  const migrationsOf = await loadSets(parts.layout)
  return (await observe(parts, { schemas, migrationsOf }, { limit })).schemas
}

/** The schemas that the options select, but for the limit: that one is the business of {@link observe}. */
export async function selectUnlimited(
  parts: MigratorParts,
  options: SelectOptions,
): Promise<readonly FleetSchema[]> {
  const exclude = listOf('exclude', options.exclude ?? [])
  const behind = async (): Promise<ReadonlySet<string>> =>
    behindIn(parts, await loadSelection(parts, {}))
  const selector = options.select ?? select.all()
  limitOf(options)
  return chooseSchemas(parts, { selector, exclude, behind })
}

function limitOf({ limit }: SelectOptions): number {
  return limit === undefined ? Infinity : wholeNumber('limit', limit, 1)
}

function tenantsOf(schemas: readonly FleetSchema[]): readonly FleetSchema[] {
  return schemas.filter(({ kind }) => kind === 'tenant')
}

/** No more tenants than the limit allows, those that are behind first. */
async function limited(
  parts: MigratorParts,
  selection: Selection,
  limit: number,
): Promise<Selection> {
  const { schemas } = selection
  const tenants = tenantsOf(schemas)
  if (tenants.length <= limit) return selection
  const late = await behindIn(parts, { ...selection, schemas: tenants })
  const inTurn = tenants.toSorted((a, b) => Number(late.has(b.schema)) - Number(late.has(a.schema)))
  const left = new Set(inTurn.slice(limit))
  return { ...selection, schemas: schemas.filter((schema) => !left.has(schema)) }
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
  const schemas = await selectUnlimited(parts, options)
  return observe(parts, { schemas, migrationsOf }, options)
}

/** Reads the states of schemas, and leaves those out that are beyond the limit. */
export async function observe(
  parts: MigratorParts,
  { schemas, migrationsOf }: Pick<Selection, 'schemas' | 'migrationsOf'>,
  options: ObserveOptions,
): Promise<Selection> {
  const requests = schemas.map((each) => ({
    schema: each.schema,
    migrations: migrationsOf(each),
  }))
  const { states, installed }: Observation =
    requests.length === 0
      ? { states: new Map() }
      : await observeSchemas(parts.db, requests, options)
  const selection: Selection = {
    schemas,
    migrationsOf,
    stateOf: ({ schema }) => states.get(schema) ?? ABSENT,
    ...(installed && { installed }),
  }
  return limited(parts, selection, limitOf(options))
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
