import type { SchemaOutcome, RunReport } from '../migration/run/report.js'
import { requireSuccess } from '../migration/run/report.js'
import { type RunOptions, settingsOf } from '../migration/run/run-options.js'
import { runOver } from '../migration/run/run.js'
import type { LeasePool } from '../postgres/lease-pool.js'
import type { Scope } from '../scope/context.js'
import { runScope } from '../scope/run-scope.js'
import type { TenantMetadata } from '../registry/tenant.js'
import type { ScopedClient } from '../scope/scoped-client.js'
import type { FleetSchema } from '../selector/selector.js'
import { present } from '../support/present.js'

/** How `router.each` goes over its schemas. */
export interface EachOptions extends Pick<
  RunOptions,
  'exclude' | 'limit' | 'onFailure' | 'canary' | 'onEvent'
> {
  /** How many schemas are worked on at the same time. @defaultValue `1` */
  readonly concurrency?: number
  /** Runs `fn` in one transaction per schema. */
  readonly transaction?: boolean
  /** Begins no further schema once it is aborted. */
  readonly signal?: AbortSignal
  /** Begins no further schema once it is aborted, and cancels what runs. */
  readonly cancel?: AbortSignal
  /** Hears of each schema as soon as its outcome is known. */
  readonly onOutcome?: (outcome: SchemaOutcome) => void
}

/** What `runEach` calls for each schema. */
export type EachFunction<Metadata = TenantMetadata> = (
  db: ScopedClient,
  schema: FleetSchema<Metadata>,
) => Promise<unknown>

/** Runs `fn` once in each schema; what it throws is that schema's failure. */
export async function runEach(
  leases: LeasePool,
  schemas: readonly { readonly schema: FleetSchema; readonly scope: Scope }[],
  fn: EachFunction,
  options: EachOptions,
): Promise<RunReport> {
  const settings = settingsOf({ ...options, concurrency: options.concurrency ?? 1 })
  const scopes = new Map(schemas.map(({ schema, scope }) => [schema, scope]))
  const { transaction = false, cancel } = options
  const scopeOptions = { transaction, ...(cancel && { signal: cancel }) }
  const report = await runOver(
    [...scopes.keys()],
    { ...settings, maxAttempts: 1 },
    async (schema) => {
      await runScope(leases, present(scopes.get(schema)), (db) => fn(db, schema), scopeOptions)
      return { status: 'done', applied: [] }
    },
  )
  return requireSuccess('RUN_FAILED', report)
}
