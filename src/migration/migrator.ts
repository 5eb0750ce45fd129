import type { FleetSchema } from '../selector/selector.js'
import type { RunReport } from './run/report.js'
import type {
  DownOptions,
  MarkOptions,
  PlanOptions,
  RunOptions,
  SelectOptions,
  StatusOptions,
  UpOptions,
} from './run/run-options.js'
import type { MigratorParts } from './selection.js'
import type { SchemaPlan, SchemaStatus } from './status.js'
import type { VerifyReport } from './verify/verify.js'

/**
 * Migrates schemas and says how they stand; `router.migrations`.
 *
 * Most processes of a service migrate nothing, so what does that is loaded by the first call.
 */
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
    const { migrateUp } = await import('./run/command.js')
    return migrateUp(this.#parts, options)
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
    const { migrateDown } = await import('./run/command.js')
    return migrateDown(this.#parts, options)
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
    const { migrateAgain } = await import('./run/command.js')
    return migrateAgain(this.#parts, options)
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
    const { markApplied } = await import('./run/command.js')
    return markApplied(this.#parts, options)
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
    const { planSchemas } = await import('./run/command.js')
    return planSchemas(this.#parts, options)
  }

  /**
   * Says of each schema which version it is on and what it still needs. Changes nothing.
   *
   * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, `MIGRATION_SOURCE_INVALID`
   */
  async status(options: StatusOptions = {}): Promise<readonly SchemaStatus[]> {
    const { readStatus } = await import('./run/command.js')
    return readStatus(this.#parts, options)
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
    const { readStatuses } = await import('./run/command.js')
    yield* readStatuses(this.#parts, options)
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
    const { verifySelection } = await import('./run/command.js')
    return verifySelection(this.#parts, options)
  }

  /** @internal The schemas that a selector names. */
  async select(options: SelectOptions): Promise<readonly FleetSchema[]> {
    const { selectSchemas } = await import('./selection.js')
    return selectSchemas(this.#parts, options)
  }
}
