import { setTimeout as delay } from 'node:timers/promises'
import { isTransient, toError } from '../../postgres/sql-state.js'
import { type FleetSchema, SCHEMA_KINDS, type SchemaKind } from '../../selector/selector.js'
import { backoffMs } from '../../support/backoff.js'
import { workQueue } from '../../support/work-queue.js'
import type { RunEvent, RunReport, SchemaOutcome } from './report.js'
import { factsOf } from '../schema-facts.js'
import { isError } from '../../support/is-error.js'

/** How a run goes over its schemas. */
export interface RunSettings {
  readonly concurrency: number
  readonly maxAttempts: number
  readonly signal?: AbortSignal | undefined
  readonly onOutcome?: ((outcome: SchemaOutcome) => void) | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** @defaultValue `'continue'` */
  readonly onFailure?: 'continue' | 'stop' | undefined
  /** So many tenants come first, and the others only if none of them failed. */
  readonly canary?: number | undefined
  /** @defaultValue shared, static, tenants */
  readonly kinds?: readonly SchemaKind[] | undefined
}

/** What the work on one schema came to. */
export interface WorkResult {
  readonly status: 'done' | 'current' | 'skipped'
  readonly applied: readonly string[]
  readonly atomic?: false
  readonly notAtomic?: readonly string[]
  readonly reason?: string
}

/** What stays of work that fails. */
export interface WorkProgress {
  applied?: readonly string[]
  atomic?: false
  notAtomic?: readonly string[]
  /** Whether the hook before it is done; an attempt after it does not call it again. */
  begun?: boolean
  /** Whether trying again may do harm. */
  isFinal?: boolean
}

type Work = (schema: FleetSchema, progress: WorkProgress) => Promise<WorkResult>

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
  work: Work,
): Promise<RunReport> {
  const began = performance.now()
  if (schemas.length > 0) settings.onEvent?.({ type: 'selected', schemas: schemas.length })
  const outcomes = new Map<FleetSchema, SchemaOutcome>()
  const note = (schema: FleetSchema, outcome: SchemaOutcome): void => {
    outcomes.set(schema, outcome)
    settings.onOutcome?.(outcome)
    settings.onEvent?.({ type: 'finished', schema: outcome.schema, outcome })
  }
  const order: FleetSchema[] = []
  let blocked: string | undefined
  for (const { queue, name } of wavesOf(schemas, settings)) {
    order.push(...queue)
    const stopped = (): boolean => settings.signal?.aborted === true || blocked !== undefined
    await workQueue(queue, { concurrency: settings.concurrency, stopped }, async (schema) => {
      const outcome = await attempt(schema, settings, work)
      if (outcome.status === 'failed' && settings.onFailure === 'stop') {
        blocked ??= `schema "${schema.schema}" failed before`
      }
      note(schema, outcome)
    })
    for (const schema of queue.filter((each) => !outcomes.has(each))) {
      note(schema, skipped(schema, blocked ?? 'the run was stopped'))
    }
    if (queue.some((schema) => outcomes.get(schema)?.status === 'failed')) {
      blocked ??= `a ${name} failed before`
    }
  }
  return {
    outcomes: order.flatMap((schema) => outcomes.get(schema) ?? []),
    durationMs: performance.now() - began,
  }
}

interface Wave {
  readonly queue: readonly FleetSchema[]
  /** What each of its schemas is called in a reason. */
  readonly name: string
}

function wavesOf(schemas: readonly FleetSchema[], settings: RunSettings): readonly Wave[] {
  const { kinds = SCHEMA_KINDS, canary = 0 } = settings
  return kinds.flatMap((kind) => {
    const queue = schemas.filter((schema) => schema.kind === kind)
    if (kind !== 'tenant' || canary === 0) return [{ queue, name: `${kind} schema` }]
    return [
      { queue: queue.slice(0, canary), name: 'canary schema' },
      { queue: queue.slice(canary), name: `${kind} schema` },
    ]
  })
}

async function attempt(
  schema: FleetSchema,
  settings: RunSettings,
  work: Work,
): Promise<SchemaOutcome> {
  const began = performance.now()
  const progress: WorkProgress = {}
  const ended = (attempts: number): Pick<SchemaOutcome, 'attempts' | 'durationMs'> => ({
    attempts,
    durationMs: performance.now() - began,
  })
  for (let attempts = 1; ; attempts += 1) {
    settings.onEvent?.({ type: 'started', schema: schema.schema, attempt: attempts })
    try {
      const result = await work(schema, progress)
      return { ...factsOf(schema), ...result, ...ended(attempts) }
    } catch (error) {
      if (await mayRetry({ schema, attempts, error, progress }, settings)) continue
      const { applied = [], atomic, notAtomic } = progress
      return {
        ...factsOf(schema),
        status: 'failed',
        applied,
        ...(atomic === false && { atomic }),
        ...(notAtomic && { notAtomic }),
        ...ended(attempts),
        error: toError(error),
      }
    }
  }
}

interface Failure {
  readonly schema: FleetSchema
  readonly attempts: number
  readonly error: unknown
  readonly progress: WorkProgress
}

async function mayRetry(
  { schema, attempts, error, progress }: Failure,
  { maxAttempts, signal, onEvent }: RunSettings,
): Promise<boolean> {
  if (progress.isFinal || attempts >= maxAttempts || !isTransient(rootOf(error))) return false
  const waitMs = backoffMs(attempts, BASE_WAIT_MS, MAX_WAIT_MS)
  const facts = { schema: schema.schema, attempt: attempts, error: toError(error), waitMs }
  onEvent?.({ type: 'retried', ...facts })
  return paused(waitMs, signal)
}

/** Answers `false` as soon as the run is stopped. */
function paused(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return delay(ms, undefined, signal && { signal }).then(
    () => true,
    () => false,
  )
}

function rootOf(error: unknown): unknown {
  return isError(error) && error.cause !== undefined ? error.cause : error
}

function skipped(schema: FleetSchema, reason: string): SchemaOutcome {
  return { ...factsOf(schema), status: 'skipped', applied: [], attempts: 0, durationMs: 0, reason }
}
