import { setTimeout as delay } from 'node:timers/promises'
import { isTransient } from '../postgres/sql-state.js'
import { type FleetSchema, SCHEMA_KINDS } from '../selector/selector.js'
import { backoffMs } from '../support/backoff.js'
import { workQueue } from '../support/work-queue.js'
import type { RunReport, SchemaOutcome } from './report.js'

/** How a run goes over its schemas. */
export interface RunSettings {
  readonly concurrency: number
  readonly maxAttempts: number
  readonly signal?: AbortSignal
  readonly onOutcome?: (outcome: SchemaOutcome) => void
}

/** What the work on one schema came to. */
export interface WorkResult {
  readonly status: 'done' | 'current'
  readonly applied: readonly string[]
}

const BASE_WAIT_MS = 100
const MAX_WAIT_MS = 5_000

/**
 * Works on many schemas: kind by kind, a few at a time, and says what became of each.
 *
 * One failure does not stop the others of its kind, but a kind begins only when all kinds before
 * it succeeded: tenants may need what the shared schema brings.
 */
export async function runOver(
  schemas: readonly FleetSchema[],
  settings: RunSettings,
  work: (schema: FleetSchema) => Promise<WorkResult>,
): Promise<RunReport> {
  const began = performance.now()
  const outcomes = new Map<FleetSchema, SchemaOutcome>()
  const note = (schema: FleetSchema, outcome: SchemaOutcome): void => {
    outcomes.set(schema, outcome)
    settings.onOutcome?.(outcome)
  }
  const order: FleetSchema[] = []
  let blocked: string | undefined
  for (const kind of SCHEMA_KINDS) {
    const queue = schemas.filter((schema) => schema.kind === kind)
    order.push(...queue)
    const stopped = (): boolean => settings.signal?.aborted === true || blocked !== undefined
    await workQueue(queue, { concurrency: settings.concurrency, stopped }, async (schema) => {
      note(schema, await attempt(schema, settings, work))
    })
    for (const schema of queue.filter((each) => !outcomes.has(each))) {
      note(schema, skipped(schema, blocked ?? 'the run was stopped'))
    }
    if (queue.some((schema) => outcomes.get(schema)?.status === 'failed')) {
      blocked ??= `a ${kind} schema failed before`
    }
  }
  return {
    outcomes: order.flatMap((schema) => outcomes.get(schema) ?? []),
    durationMs: performance.now() - began,
  }
}

async function attempt(
  schema: FleetSchema,
  settings: RunSettings,
  work: (schema: FleetSchema) => Promise<WorkResult>,
): Promise<SchemaOutcome> {
  const began = performance.now()
  const { signal, maxAttempts } = settings
  for (let attempts = 1; ; attempts += 1) {
    try {
      const result = await work(schema)
      return { ...named(schema), ...result, attempts, durationMs: performance.now() - began }
    } catch (error) {
      const again = attempts < maxAttempts && isTransient(rootOf(error))
      if (again && (await paused(backoffMs(attempts, BASE_WAIT_MS, MAX_WAIT_MS), signal))) continue
      const durationMs = performance.now() - began
      return {
        ...named(schema),
        status: 'failed',
        applied: [],
        attempts,
        durationMs,
        error: toError(error),
      }
    }
  }
}

/** Answers `false` as soon as the run is stopped. */
function paused(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return delay(ms, undefined, signal && { signal }).then(
    () => true,
    () => false,
  )
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function skipped(schema: FleetSchema, reason: string): SchemaOutcome {
  return { ...named(schema), status: 'skipped', applied: [], attempts: 0, durationMs: 0, reason }
}

function named({ schema, kind, tenant }: FleetSchema): Pick<SchemaOutcome, 'schema' | 'kind'> {
  return { schema, kind, ...(tenant && { tenant: tenant.slug }) }
}
