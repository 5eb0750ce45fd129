import type { SchemaStatus } from 'tenantry'
import type { Colors } from '../output.js'
import { countText, tallyText } from './count.js'
import { errorJson, errorLine } from './error.js'
import { tableLines } from './table.js'

/** Whether a migration alone will not put the schema right. */
export function isBroken({ kind, exists, problem }: SchemaStatus): boolean {
  return problem !== undefined || (kind === 'tenant' && !exists)
}

/** Whether the next migration has something to do in the schema. */
export function isPending(status: SchemaStatus): boolean {
  return !isBroken(status) && (!status.exists || status.pending.length > 0)
}

/** How schemas stand, as a table with a summary. */
export function statusLines(statuses: readonly SchemaStatus[], colors: Colors): string[] {
  const rows = statuses.map((status) => [
    status.schema,
    status.kind,
    String(status.version),
    statusText(status),
  ])
  const broken = statuses.filter(isBroken).length
  const pending = statuses.filter(isPending).length
  const tally = tallyText([
    [statuses.length - pending - broken, 'current'],
    [pending, 'pending'],
    [broken, 'broken'],
  ])
  return [
    ...tableLines([['schema', 'kind', 'version', 'state'], ...rows], colors),
    `${countText(statuses.length, 'schema')}${tally && `: ${tally}`}`,
  ]
}

/** How one schema stands, in a few words. */
export function statusText({ kind, exists, pending, problem }: SchemaStatus): string {
  if (problem !== undefined) return errorLine(problem)
  if (!exists)
    return kind === 'tenant' ? 'missing: restore it, or delete the tenant' : 'not made yet'
  if (pending.length === 0) return 'current'
  const others = pending.length > 1 ? ` and ${pending.length - 1} more` : ''
  return `pending: ${pending[0] ?? ''}${others}`
}

/** How schemas stand, as a document. */
export function statusJson(statuses: readonly SchemaStatus[]): object[] {
  return statuses.map(({ problem, ...status }) => ({
    ...status,
    ...(problem && { problem: errorJson(problem) }),
  }))
}
