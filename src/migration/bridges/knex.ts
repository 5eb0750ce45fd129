import { basename } from 'node:path'
import type { BridgeTarget, MigrationBridge } from './bridge.js'

/** What the bridge sets for Knex in each schema. */
export interface KnexSettings {
  /** Where Knex keeps its two tables. */
  readonly schemaName: string
}

/** What is used of a Knex instance. */
export interface KnexInstance {
  readonly client: object
  readonly migrate: {
    latest(settings: KnexSettings): Promise<unknown>
    down(settings: KnexSettings): Promise<unknown>
    list(settings: KnexSettings): Promise<unknown>
  }
}

/**
 * Lets `knex.migrate` migrate each schema, with its tables in that schema.
 *
 * Knex takes no client from outside, so the bridge gives its instance the one of the schema: make a
 * new instance each time, without a `connection`.
 *
 * @param open Makes the Knex instance for one schema.
 * @throws What Knex throws, as `MIGRATION_FAILED`, when a run calls it.
 * @example
 * import { knexBridge } from 'tenantry/migrate'
 * import knex from 'knex'
 *
 * const migrations = knexBridge(() =>
 *   knex({ client: 'pg', migrations: { directory: 'migrations/tenant' } }),
 * )
 * console.log(migrations.origin)
 */
export function knexBridge(
  open: (target: BridgeTarget) => KnexInstance | Promise<KnexInstance>,
): MigrationBridge {
  const run = async (
    target: BridgeTarget,
    task: (knex: KnexInstance, settings: KnexSettings) => Promise<readonly string[]>,
  ): Promise<readonly string[]> => {
    const knex = await open(target)
    lendTo(knex, target)
    return task(knex, { schemaName: target.schema })
  }
  return {
    kind: 'bridge',
    origin: 'Knex',
    up: (target) =>
      run(target, async (knex, settings) => namesIn(await knex.migrate.latest(settings))),
    down: (target) =>
      run(target, async (knex, settings) => namesIn(await knex.migrate.down(settings))),
    pending: (target) =>
      run(target, async (knex, settings) => namesIn(await knex.migrate.list(settings))),
  }
}

/** Its statements run on the client of the schema, which is never released to anybody else. */
function lendTo({ client }: KnexInstance, { pool }: BridgeTarget): void {
  Object.assign(client, {
    acquireConnection: () => pool.connect(),
    releaseConnection: async (lent: { release(): void }) => lent.release(),
  })
}

/**
 * Knex answers a run with the number of the batch and the files in it, and a question with what has
 * run and what has not.
 */
function namesIn(answer: unknown): readonly string[] {
  const migrations: unknown = Array.isArray(answer) ? answer[1] : undefined
  return Array.isArray(migrations) ? migrations.map(nameOf) : []
}

function nameOf(migration: unknown): string {
  const named = typeof migration === 'object' && migration !== null
  return basename(named && 'file' in migration ? String(migration.file) : String(migration))
}
