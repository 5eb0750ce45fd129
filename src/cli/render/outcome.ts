import type { RunEvent, RunReport, SchemaOutcome } from 'tenantry'
import type { Colors } from '../output.js'
import { countText, tallyText } from './count.js'
import { durationText } from './duration.js'
import { errorJson, errorLine } from './error.js'
import { verifyJson } from './verify.js'

const NAME_WIDTH = 20

/** What became of one schema, in one line; `done` says what it did to a schema that it was for. */
export function outcomeLine(outcome: SchemaOutcome, colors: Colors, done: string): string {
  return `${schemaCell(outcome.schema)}  ${outcomeText(outcome, colors, done)}`
}

/** A schema's name in front of a line; names of usual length are aligned. */
export function schemaCell(schema: string): string {
  return schema.padEnd(NAME_WIDTH)
}

function outcomeText(outcome: SchemaOutcome, colors: Colors, done: string): string {
  const { status, applied, notAtomic, durationMs, error, reason } = outcome
  switch (status) {
    case 'done': {
      // What visits schemas without migrating them has none to count.
      const migrations = applied.length > 0 ? `  ${countText(applied.length, 'migration')}` : ''
      const apart = notAtomic ? colors.yellow(`  not atomic: ${notAtomic.join(', ')}`) : ''
      return `${colors.green(done)}${migrations}  ${durationText(durationMs)}${apart}`
    }
    case 'current':
      return colors.dim('current')
    case 'failed':
      return `${colors.red('failed')}  ${errorLine(error)}`
    case 'skipped':
      return `${colors.yellow('skipped')}  ${reason ?? ''}`
    default:
      return status satisfies never
  }
}

/** What happens to a schema before its end, in one line. */
export function eventLine(event: RunEvent, colors: Colors): string | undefined {
  if (event.type === 'started' && event.attempt === 1) {
    return `${schemaCell(event.schema)}  ${colors.dim('started')}`
  }
  if (event.type !== 'retried') return undefined
  const wait = durationText(event.waitMs)
  return `${schemaCell(event.schema)}  ${colors.yellow('again')} in ${wait}  ${errorLine(event.error)}`
}

const SLOWEST = 5

/** A whole run: which schemas took longest, and how many came to what. */
export function summaryLines(report: RunReport, done: string): readonly string[] {
  const worked = report.outcomes.filter(({ status }) => status === 'done' || status === 'failed')
  const slowest = worked.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST)
  const named = slowest.map(({ schema, durationMs }) => `${schema} ${durationText(durationMs)}`)
  return [
    ...(worked.length > SLOWEST ? [`slowest: ${named.join(', ')}`] : []),
    summaryLine(report, done),
  ]
}

/** A whole run, in one line; `done` says what it did to the schemas that it was for. */
export function summaryLine(report: RunReport, done: string): string {
  const count = (status: SchemaOutcome['status']): number =>
    report.outcomes.filter((outcome) => outcome.status === status).length
  const tally = tallyText([
    [count('done'), done],
    [count('current'), 'current'],
    [count('failed'), 'failed'],
    [count('skipped'), 'skipped'],
    [report.outcomes.filter(({ attempts }) => attempts > 1).length, 'retried'],
  ])
  const schemas = countText(report.outcomes.length, 'schema')
  return `${schemas}${tally && `: ${tally}`} in ${durationText(report.durationMs)}`
}

/** What became of one schema, as a document. */
export interface OutcomeDocument extends Omit<SchemaOutcome, 'error'> {
  readonly error?: ReturnType<typeof errorJson>
}

/** Makes the document of one schema. */
export function outcomeJson({ error, durationMs, ...outcome }: SchemaOutcome): OutcomeDocument {
  return {
    ...outcome,
    durationMs: Math.round(durationMs),
    ...(error && { error: errorJson(error) }),
  }
}

/** A whole run as a document. */
export interface ReportDocument {
  readonly outcomes: readonly OutcomeDocument[]
  readonly durationMs: number
  readonly verified?: object
}

/** Makes the document of a whole run. */
export function reportJson(report: RunReport): ReportDocument {
  return {
    outcomes: report.outcomes.map(outcomeJson),
    durationMs: Math.round(report.durationMs),
    ...(report.verified && { verified: verifyJson(report.verified) }),
  }
}
