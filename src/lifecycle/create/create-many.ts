import { TenantryError } from '../../errors.js'
import { type RunReport, type SchemaOutcome, countOutcomes } from '../../migration/run/report.js'
import { settingsOf } from '../../migration/run/run-options.js'
import type { RunSettings } from '../../migration/run/run.js'
import { runSchemas } from '../run-schemas.js'
import { toldChange } from '../told-change.js'
import { firstFew } from '../../support/first-few.js'
import { listOf, optionInvalid, refuseUnknown } from '../../support/options.js'
import {
  type CreateTenant,
  type LifecycleParts,
  type NewTenantOrder,
  prepareCreate,
  validOrder,
} from './create.js'
import { present } from '../../support/present.js'

/** How many tenants are created. */
export interface CreateManyOptions {
  /**
   * How many tenants are created at the same time. Each takes a client of the pool, so that more than
   * the pool's `max` are never begun at once.
   *
   * @defaultValue `4`
   */
  readonly concurrency?: number
  /**
   * What happens when a tenant cannot be created: the others are created, or none is begun any more.
   *
   * @defaultValue `'continue'`
   */
  readonly onFailure?: 'continue' | 'stop'
  /** Begins no further tenant once it is aborted; those that are begun are finished. */
  readonly signal?: AbortSignal
  /** Hears of each tenant as soon as its outcome is known. */
  readonly onOutcome?: (outcome: SchemaOutcome) => void
}

const KEYS: readonly (keyof CreateManyOptions)[] = [
  'concurrency',
  'onFailure',
  'signal',
  'onOutcome',
]

/** Creates many tenants, each in a transaction of its own. See `Tenants.createMany`. */
export async function createTenants(
  parts: LifecycleParts,
  inputs: readonly CreateTenant<unknown>[],
  options: CreateManyOptions,
): Promise<RunReport> {
  const settings = runSettings(parts, options)
  const list = listOf('tenants', inputs)
  const orders = await Promise.all(list.map((input) => validListed(parts, input)))
  requireDifferent(orders)
  const [first] = orders
  if (first === undefined) return { outcomes: [], durationMs: 0 }
  const { create, migrations } = await prepareCreate(parts, first.row.schema)
  const applied = migrations.flatMap(({ id, fileName }) => (id > 0 ? fileName : []))
  const kind = 'tenant' as const
  const items = orders.map((order) => ({ ...order.row, kind, order }))
  const report = await runSchemas(items, settings, async ({ slug, order }) => {
    await toldChange(parts, { action: 'create', slug }, () => create(order))
    return { status: 'done', applied }
  })
  return requireCreated(report)
}

/** More at once than the pool has clients would only wait for each other, and give up in the end. */
function runSettings({ pool }: LifecycleParts, options: CreateManyOptions): RunSettings {
  refuseUnknown('', options, KEYS)
  const settings = settingsOf(options)
  const concurrency = Math.max(1, Math.min(settings.concurrency, pool.options.max))
  // What a hook has done outside of the database is not taken back, so nothing is tried again.
  return { ...settings, concurrency, maxAttempts: 1 }
}

async function validListed(parts: LifecycleParts, input: unknown): Promise<NewTenantOrder> {
  if (isTenant(input)) return validOrder(parts, input)
  throw optionInvalid(
    'tenants',
    "Each of the tenants must be an object such as { slug: 'acme' }, as tenants.create takes it.",
  )
}

function isTenant(input: unknown): input is CreateTenant {
  return typeof input === 'object' && input !== null && 'slug' in input
}

/** Of two tenants with the same name the second one would fail, when the first is made already. */
function requireDifferent(orders: readonly NewTenantOrder[]): void {
  const names = orders.flatMap(({ row, domains }) => [
    `slug ${row.slug}`,
    `schema ${row.schema}`,
    ...domains.map(({ host, path }) => `domain ${host}${path}`),
  ])
  const seen = new Set<string>()
  const twice = names.filter((name) => seen.size === seen.add(name).size)
  if (twice.length === 0) return
  throw optionInvalid(
    'tenants',
    `The list has more than once: ${firstFew([...new Set(twice)], ', ')}. Nothing was created; ` +
      'give each tenant names of its own.',
  )
}

/**
 * Returns a report in which nothing failed.
 *
 * @throws `RUN_FAILED` with the report
 */
function requireCreated(report: RunReport): RunReport {
  const { done, failed, skipped } = countOutcomes(report)
  if (failed === 0) return report
  const failures = report.outcomes.filter(({ status }) => status === 'failed')
  throw new TenantryError(
    'RUN_FAILED',
    `${failed} of ${report.outcomes.length} tenants could not be created (${done} were, ${skipped} ` +
      'were skipped). Nothing of them was made; correct what failed, and create those that are ' +
      `missing.\n  ${firstFew(failures.map(failureText), '\n  ')}`,
    { report, cause: failures[0]?.error },
  )
}

function failureText({ tenant = '', error }: SchemaOutcome): string {
  return `${tenant}: ${present(error).message}`
}
