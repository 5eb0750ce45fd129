import type { Pool } from 'pg'
import type { Database } from '../postgres/database.js'
import { listOf, wholeNumber } from '../support/options.js'
import type { TenantRegistry } from '../registry/registry.js'
import { resolveSelector } from '../selector/resolve.js'
import { type FleetSchema, type Selector, select } from '../selector/selector.js'
import { type SchemaLayout, listFleet, loadSets, pathOf } from './layout.js'
import { type SchemaState, foreignLedger, readStates } from './ledger.js'
import { pendingMigrations } from './plan.js'
import { type RunReport, type SchemaOutcome, requireSuccess } from './report.js'
import { type WorkResult, runOver } from './run.js'
import type { Migration } from './source.js'
import { type UnitTarget, migrateSchema } from './unit.js'
import { type VerifyReport, verifySchemas } from './verify/verify.js'

/** Which schemas a command is about. */
export interface SelectOptions {
  /** @defaultValue `select.all()` */
  readonly select?: Selector
  /** Names of schemas or slugs that are left alone whatever `select` says. */
  readonly exclude?: readonly string[]
}

/** How `migrations.up` runs. */
export interface UpOptions extends SelectOptions {
  /**
   * How many schemas are migrated at the same time; each takes a client of the pool.
   *
   * @defaultValue `4`
   */
  readonly concurrency?: number
  /**
   * How long one statement waits for a lock, in milliseconds; then the schema is tried again.
   *
   * @defaultValue `10_000`
   */
  readonly lockTimeout?: number
  /** Begins no further schema once it is aborted; what runs is finished. */
  readonly signal?: AbortSignal
  /** Hears of each schema as soon as its outcome is known. */
  readonly onOutcome?: (outcome: SchemaOutcome) => void
}

/** How one schema stands against its migration set. */
export interface SchemaStatus {
  readonly schema: string
  readonly kind: FleetSchema['kind']
  readonly tenant?: string
  readonly exists: boolean
  /** Id of the newest migration that the schema has had; 0 for none. */
  readonly version: number
  /** File names of the migrations that it still needs. */
  readonly pending: readonly string[]
  /** Why the schema cannot be migrated as it is: tampered, out of order, unknown. */
  readonly problem?: Error
}

/** What a {@link Migrator} works with. */
export interface MigratorParts {
  readonly db: Database
  /** Tells how to connect to another database of the same server. */
  readonly pool: Pool
  readonly layout: SchemaLayout
  readonly registry: TenantRegistry
}

const DEFAULT_CONCURRENCY = 4
const DEFAULT_LOCK_TIMEOUT_MS = 10_000
const MAX_ATTEMPTS = 5

/** Migrates schemas and says how they stand; `router.migrations`. */
export class Migrator {
  readonly #parts: MigratorParts

  /** @internal Made by the router. */
  constructor(parts: MigratorParts) {
    this.#parts = parts
  }

  /**
   * Brings schemas up to date, each in a transaction of its own.
   *
   * Shared first, then static, then tenants. A schema that fails is as it was before and does not
   * stop the others of its kind; a second run does what is left.
   *
   * @returns what became of every schema.
   * @throws `MIGRATION_RUN_FAILED` with the report, when a schema failed.
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`, `OPTIONS_INVALID`
   * before anything is changed.
   * @example
   * import { select, type SchemaRouter } from 'tenantry'
   *
   * const migrate = (router: SchemaRouter) =>
   *   router.migrations.up({ select: select.tenants(), concurrency: 4 })
   */
  async up(options: UpOptions = {}): Promise<RunReport> {
    const concurrency = wholeNumber('concurrency', options.concurrency ?? DEFAULT_CONCURRENCY, 1)
    const lockTimeoutMs = wholeNumber(
      'lockTimeout',
      options.lockTimeout ?? DEFAULT_LOCK_TIMEOUT_MS,
      1,
    )
    const { db, layout, registry } = this.#parts
    const migrationsOf = await loadSets(layout)
    const schemas = await this.select(options)
    if (schemas.some(({ kind }) => kind === 'shared')) await registry.install(db)
    const states = await this.#states(schemas)
    const work = async (schema: FleetSchema): Promise<WorkResult> => {
      const migrations = migrationsOf(schema)
      const state = states.get(schema.schema) ?? ABSENT
      const { exists } = state
      const pending = pendingIn(schema, state, migrations)
      if (exists && pending.length === 0) return { status: 'current', applied: [] }
      const target: UnitTarget = {
        schema: schema.schema,
        path: pathOf(layout, schema.schema, schema.kind),
        migrations,
        // Even `if not exists` needs the right to create schemas.
        createSchema: schema.kind !== 'tenant' && !exists,
        lockTimeoutMs,
      }
      const ran = await migrateSchema(db, target)
      return { status: ran.length > 0 || !exists ? 'done' : 'current', applied: fileNames(ran) }
    }
    const { signal, onOutcome } = options
    const report = await runOver(
      schemas,
      {
        concurrency,
        maxAttempts: MAX_ATTEMPTS,
        ...(signal && { signal }),
        ...(onOutcome && { onOutcome }),
      },
      work,
    )
    return requireSuccess('MIGRATION_RUN_FAILED', report)
  }

  /**
   * Says of each schema which version it is on and what it still needs. Changes nothing.
   *
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`
   */
  async status(options: SelectOptions = {}): Promise<readonly SchemaStatus[]> {
    const migrationsOf = await loadSets(this.#parts.layout)
    const schemas = await this.select(options)
    const states = await this.#states(schemas)
    return schemas.map((schema) =>
      statusOf(schema, states.get(schema.schema) ?? ABSENT, migrationsOf(schema)),
    )
  }

  /**
   * Compares schemas with a reference: the same migrations, run alone in an empty database.
   *
   * Each schema is compared at its own version. Without the right to create databases, the
   * reference is built in a transaction that is rolled back; the report says so.
   *
   * @returns what differs; that is no error.
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`, and
   * `MIGRATION_FAILED` when the migrations cannot be run from the start.
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const drift = async (router: SchemaRouter): Promise<readonly string[]> => {
   *   const { findings } = await router.migrations.verify()
   *   return findings.flatMap(({ schema, differences }) => [schema, ...differences])
   * }
   */
  async verify(options: SelectOptions = {}): Promise<VerifyReport> {
    const schemas = await this.select(options)
    return verifySchemas({ ...this.#parts, lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS }, schemas)
  }

  /** @internal The schemas that a selector names. */
  async select(options: SelectOptions): Promise<readonly FleetSchema[]> {
    const exclude = listOf('exclude', options.exclude ?? [])
    const { db, layout, registry } = this.#parts
    const fleet = await listFleet(db, layout, registry)
    return resolveSelector(options.select ?? select.all(), fleet, exclude)
  }

  #states(schemas: readonly FleetSchema[]): ReturnType<typeof readStates> {
    return readStates(
      this.#parts.db,
      schemas.map(({ schema }) => schema),
    )
  }
}

const ABSENT: SchemaState = { exists: false, applied: [] }

/** What a schema still needs, if its ledger can be trusted; one without a set is not ours to judge. */
function pendingIn(
  { schema }: FleetSchema,
  { foreign, applied }: SchemaState,
  migrations: readonly Migration[],
): readonly Migration[] {
  if (migrations.length === 0) return []
  if (foreign === true) throw foreignLedger(schema)
  return pendingMigrations(schema, migrations, applied)
}

function statusOf(
  schema: FleetSchema,
  state: SchemaState,
  migrations: readonly Migration[],
): SchemaStatus {
  const version = Math.max(0, ...state.applied.map(({ id }) => id))
  const base = { ...named(schema), exists: state.exists, version }
  try {
    return { ...base, pending: fileNames(pendingIn(schema, state, migrations)) }
  } catch (error) {
    const problem = error instanceof Error ? error : new Error(String(error))
    return { ...base, pending: [], problem }
  }
}

function named({ schema, kind, tenant }: FleetSchema): Pick<SchemaStatus, 'schema' | 'kind'> {
  return { schema, kind, ...(tenant && { tenant: tenant.slug }) }
}

/** The ledger's own table is no migration of the user's. */
function fileNames(migrations: readonly Migration[]): readonly string[] {
  return migrations.filter(({ id }) => id > 0).map(({ fileName }) => fileName)
}
