import { type FleetSchema, SCHEMA_KINDS } from '../selector/selector.js'
import { flag } from '../support/options.js'
import { requireNoBridge } from './bridged-run.js'
import { type GoalOf, backward, forward, newest } from './goal.js'
import { runGoals } from './goal-run.js'
import { loadSets } from './layout.js'
import { type RunReport, adviceOnLimit, joinReports, requireSuccess } from './report.js'
import {
  DEFAULT_LOCK_TIMEOUT_MS,
  type DownOptions,
  type MarkOptions,
  type PlanOptions,
  type RunOptions,
  type SelectOptions,
  type StatusOptions,
  type UpOptions,
} from './run-options.js'
import {
  type MigratorParts,
  loadSelection,
  observe,
  selectSchemas,
  statusesOf,
  withBridgedPlans,
} from './selection.js'
import { type SchemaPlan, type SchemaStatus, planOf } from './status.js'
import { verifyAfterRun } from './verify/after-run.js'
import { type VerifyReport, verifySchemas } from './verify/verify.js'

/** How many schemas' states are held at a time. */
const CHUNK = 500

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
   * stop the others of its kind; a second run does what is left. Tenants that are created during
   * the run are migrated as well.
   *
   * @returns what became of every schema.
   * @throws `MIGRATION_RUN_FAILED` with the report, when a schema failed.
   * @throws `SCHEMA_DRIFT` with the report, when a schema differs after a run with `verify`; what
   * ran stays done.
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`, `OPTIONS_INVALID`,
   * `LINT_FAILED`, `LINT_PARSER_MISSING` before anything is changed.
   * @example
   * import { select, type SchemaRouter } from 'tenantry'
   *
   * const migrate = (router: SchemaRouter) =>
   *   router.migrations.up({ select: select.tenants(), concurrency: 4 })
   */
  async up(options: UpOptions = {}): Promise<RunReport> {
    const goalOf = forward('up', options.to)
    const verify = flag('verify', options.verify ?? false)
    // New tenants get all migrations, so a spare that is left halfway would be of no use.
    const withSpares = options.to === undefined
    let { report, schemas } = await runGoals(this.#parts, { options, goalOf, withSpares })
    const isOver = (): boolean =>
      options.signal?.aborted === true ||
      // Those that were left out would be taken for tenants that have come meanwhile.
      options.limit !== undefined ||
      report.outcomes.some(({ status }) => status === 'failed') ||
      !report.outcomes.some(({ status }) => status === 'done')
    while (!isOver()) {
      const known = report.outcomes.map(({ schema }) => schema)
      const later = await runGoals(this.#parts, { options, goalOf, known, withSpares })
      report = joinReports(report, later.report)
      schemas = [...schemas, ...later.schemas]
      if (later.schemas.length === 0) break
    }
    const advice = options.limit === undefined ? '' : adviceOnLimit(report)
    requireSuccess('MIGRATION_RUN_FAILED', report, advice)
    if (!verify || options.signal?.aborted === true) return report
    const parts = { ...this.#parts, lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS }
    return verifyAfterRun(parts, { report, schemas })
  }

  /**
   * Takes migrations back, the newest first: by the files in `down/`, or by the reverse in code.
   *
   * Tenants first, then static, then shared.
   *
   * @returns what became of every schema; `applied` has the names of what was taken back.
   * @throws `MIGRATION_IRREVERSIBLE` when a reverse is missing, before anything is run.
   * @throws `MIGRATION_RUN_FAILED` with the report, and what `up` throws.
   * @example
   * import { select, type SchemaRouter } from 'tenantry'
   *
   * const takeBack = (router: SchemaRouter) =>
   *   router.migrations.down({ select: select.tenants(), to: '3_fees.sql' })
   */
  async down(options: DownOptions = {}): Promise<RunReport> {
    const kinds = SCHEMA_KINDS.toReversed()
    const { report } = await runGoals(this.#parts, { options, goalOf: backward(options), kinds })
    return requireSuccess('MIGRATION_RUN_FAILED', report)
  }

  /**
   * Takes the newest migration of each schema back and runs it again; for development.
   *
   * @throws what `down` and `up` throw
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const again = (router: SchemaRouter) => router.migrations.redo()
   */
  async redo(options: RunOptions = {}): Promise<RunReport> {
    const before = await loadSelection(this.#parts, options)
    const versions = new Map(
      before.schemas.map((each) => [each.schema, newest(before.stateOf(each))]),
    )
    await this.down({ ...options, steps: 1 })
    const goalOf: GoalOf = ({ schema }) => ({ kind: 'up', to: versions.get(schema) ?? 0 })
    const { report } = await runGoals(this.#parts, { options, goalOf })
    return requireSuccess('MIGRATION_RUN_FAILED', report)
  }

  /**
   * Notes migrations as done without running them, for schemas that were made by other means.
   *
   * @throws `MIGRATION_RUN_FAILED` with the report, and what `up` throws
   * @example
   * import { select, type SchemaRouter } from 'tenantry'
   *
   * const adopt = (router: SchemaRouter) =>
   *   router.migrations.markApplied({ select: select.tenants(), to: '3_fees.sql' })
   */
  async markApplied(options: MarkOptions): Promise<RunReport> {
    const goalOf = forward('mark', options.to)
    const { report } = await runGoals(this.#parts, { options, goalOf })
    return requireSuccess('MIGRATION_RUN_FAILED', report)
  }

  /**
   * Says what `up` would run in each schema. Touches nothing.
   *
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`, `OPTIONS_INVALID`
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * const preview = (router: SchemaRouter) => router.migrations.plan({ to: '3_fees.sql' })
   */
  async plan(options: PlanOptions = {}): Promise<readonly SchemaPlan[]> {
    const { atomicity } = options
    const goalOf = forward('up', options.to)
    const selection = await loadSelection(this.#parts, options)
    if (options.to !== undefined) requireNoBridge(this.#parts.layout, selection.schemas)
    const plans = selection.schemas.map((schema) =>
      planOf(schema, selection.stateOf(schema), {
        migrations: selection.migrationsOf(schema),
        goal: goalOf(schema, selection),
        atomicity,
      }),
    )
    return withBridgedPlans(this.#parts, selection, plans)
  }

  /**
   * Says of each schema which version it is on and what it still needs. Changes nothing.
   *
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`
   */
  async status(options: StatusOptions = {}): Promise<readonly SchemaStatus[]> {
    return statusesOf(this.#parts, await loadSelection(this.#parts, options))
  }

  /**
   * As {@link Migrator.status}, a few hundred schemas at a time, for fleets of many thousands.
   *
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`
   * @example
   * import type { SchemaRouter } from 'tenantry'
   *
   * async function show(router: SchemaRouter): Promise<void> {
   *   for await (const { schema, version } of router.migrations.statuses()) {
   *     console.log(schema, version)
   *   }
   * }
   */
  async *statuses(options: StatusOptions = {}): AsyncGenerator<SchemaStatus, void, undefined> {
    if (options.limit !== undefined) {
      // To choose them, the states of all have been read.
      yield* await this.status(options)
      return
    }
    const migrationsOf = await loadSets(this.#parts.layout)
    const schemas = await this.select(options)
    for (let from = 0; from < schemas.length; from += CHUNK) {
      const chunk = schemas.slice(from, from + CHUNK)
      const selection = await observe(this.#parts, { schemas: chunk, migrationsOf }, options)
      yield* await statusesOf(this.#parts, selection)
    }
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
  select(options: SelectOptions): Promise<readonly FleetSchema[]> {
    return selectSchemas(this.#parts, options)
  }
}
