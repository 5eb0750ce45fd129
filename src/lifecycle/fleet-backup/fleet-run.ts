import { type RunReport, requireSuccess } from '../../migration/run/report.js'
import { settingsOf } from '../../migration/run/run-options.js'
import { optionInvalid } from '../../support/options.js'
import type { LifecycleParts } from '../create/create.js'
import { type RunSchema, runSchemas } from '../run-schemas.js'
import type { FleetOptions } from './fleet-options.js'

/** What the options of both directions may be. */
export const FLEET_OPTIONS = [
  'concurrency',
  'lockTimeout',
  'onFailure',
  'signal',
  'cancel',
  'onOutcome',
  'onEvent',
] as const

/** What the backup or the restore of one tenant takes of them. */
export interface OneOptions {
  readonly lockTimeout?: number
  readonly signal?: AbortSignal
}

/** What is done for one schema; it answers with whether there was anything to do. */
type FleetWork<Item> = (item: Item, options: OneOptions) => Promise<'done' | 'current'>

interface FleetRun<Item> {
  readonly options: FleetOptions
  /** Whether no kind of schema has to be done before another. */
  readonly together: boolean
  readonly work: FleetWork<Item>
}

/**
 * Works on archives of many schemas, a few at a time.
 *
 * @throws `RUN_FAILED` with the report, when a schema failed
 */
export async function runFleet<Item extends RunSchema>(
  { pool }: LifecycleParts,
  items: readonly Item[],
  { options, together, work }: FleetRun<Item>,
): Promise<RunReport> {
  const { lockTimeout, cancel } = options
  const one = {
    ...(lockTimeout !== undefined && { lockTimeout }),
    ...(cancel && { signal: cancel }),
  }
  const settings = settingsOf(options)
  // One client is the folder's.
  const most = Math.max(1, pool.options.max - 1)
  const concurrency = Math.min(settings.concurrency, most)
  const report = await runSchemas(
    items,
    { ...settings, concurrency, together, maxAttempts: 1 },
    async (item) => ({ status: await work(item, one), applied: [] }),
  )
  return requireSuccess('RUN_FAILED', report)
}

/** Checks the path of a folder of archives. @throws `OPTIONS_INVALID` */
export function checkFolder(path: unknown): void {
  if (typeof path === 'string' && path !== '') return
  throw optionInvalid('folder', 'The folder must be a path.')
}
