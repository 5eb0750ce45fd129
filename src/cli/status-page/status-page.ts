import type { RunReport, SchemaOutcome, SchemaStatus, VerifyFinding, VerifyReport } from 'tenantry'
import { durationText } from '../render/duration.js'
import { errorJson, errorLine } from '../render/error.js'
import { summaryLine } from '../render/outcome.js'
import { isBroken, isPending, statusText } from '../render/status.js'
import script from './page.client.js'
import style from './page.css'
import page from './page.html'

/** What a page shows. */
export interface StatusPage {
  readonly statuses: readonly SchemaStatus[]
  /** How the schemas compare with their migrations, where that was asked for. */
  readonly verified?: VerifyReport
  /** The run after which the schemas stand like that. */
  readonly run?: RunReport
  readonly made: Date
}

type Cell = 'a' | 'p' | 't'

/** Schemas that share a migration set, and so the columns of a table. */
interface PageSet {
  readonly title: string
  readonly migrations: readonly string[]
  readonly members: readonly SchemaStatus[]
}

/** How the schemas stand, as one HTML page that needs nothing from elsewhere. */
export function statusPage(content: StatusPage): string {
  const parts: Readonly<Record<string, string>> = {
    style,
    script,
    // The one sequence that could end the element, or begin another.
    data: JSON.stringify(documentOf(content)).replaceAll('<', '\\u003c'),
  }
  return page.replaceAll(/\/\*(\w+)\*\//g, (mark, name: string) => parts[name] ?? mark)
}

function documentOf({ statuses, verified, run, made }: StatusPage): object {
  const titles = [...new Set(statuses.map(titleOf))]
  const sets = titles.map((title): PageSet => {
    const members = statuses.filter((status) => titleOf(status) === title)
    return { title, migrations: columnsOf(members), members }
  })
  const findingOf = new Map(verified?.findings.map((finding) => [finding.schema, finding]))
  const outcomeOf = new Map(run?.outcomes.map((outcome) => [outcome.schema, outcome]))
  return {
    run: run && summaryLine(run, 'migrated'),
    made: made.toISOString(),
    sets: sets.map(({ title, migrations }) => ({ title, migrations })),
    schemas: sets.flatMap(({ members, migrations }, set) =>
      members.map((status) => {
        const { schema } = status
        const found = { finding: findingOf.get(schema), outcome: outcomeOf.get(schema) }
        return { ...rowOf(status, migrations, found), set }
      }),
    ),
  }
}

/** Each static schema has a set of its own. */
function titleOf({ kind, schema }: SchemaStatus): string {
  if (kind === 'tenant') return 'Tenants'
  return kind === 'shared' ? `Shared schema ${schema}` : `Static schema ${schema}`
}

/** A schema without a problem knows the whole set, in order; others may add what it does not know. */
function columnsOf(statuses: readonly SchemaStatus[]): readonly string[] {
  const known = statuses.map(({ applied, pending }) => [...applied, ...pending])
  return [...new Set(known.toSorted((a, b) => b.length - a.length).flat())]
}

/** What is known of a schema beside its status. */
interface Found {
  readonly finding: VerifyFinding | undefined
  readonly outcome: SchemaOutcome | undefined
}

function rowOf(status: SchemaStatus, migrations: readonly string[], found: Found): object {
  const { schema, tenant, version, unknown, problem } = status
  const { finding, outcome } = found
  const error = outcome?.error ?? problem ?? finding?.error
  return {
    schema,
    tenant,
    version,
    ...standingOf(status, found),
    cells: cellsOf(status, migrations),
    unknown,
    differences: finding?.differences ?? [],
    problem: error && errorJson(error),
    run: outcome && runText(outcome),
  }
}

interface Standing {
  readonly state: 'broken' | 'pending' | 'current'
  readonly note: string
}

function standingOf(status: SchemaStatus, { finding, outcome }: Found): Standing {
  if (outcome?.error !== undefined) return { state: 'broken', note: errorLine(outcome.error) }
  if (isBroken(status)) return { state: 'broken', note: statusText(status) }
  if (finding?.error !== undefined) return { state: 'broken', note: 'not compared' }
  if (finding !== undefined) return { state: 'broken', note: 'differs from its migrations' }
  return { state: isPending(status) ? 'pending' : 'current', note: statusText(status) }
}

function cellsOf({ applied, tampered }: SchemaStatus, columns: readonly string[]): string {
  const ran = new Set(applied)
  const changed = new Set(tampered)
  return columns
    .map((name): Cell => {
      if (changed.has(name)) return 't'
      return ran.has(name) ? 'a' : 'p'
    })
    .join('')
}

/** What the run did to a schema, for those who look closer. */
function runText({ status, applied, attempts, durationMs, reason }: SchemaOutcome): string {
  if (status === 'skipped') return `skipped: ${reason ?? ''}`
  const what = status === 'done' ? `migrated, ${applied.join(', ')}` : status
  const again = attempts > 1 ? `, in attempt ${attempts}` : ''
  return `${what}${again}, in ${durationText(durationMs)}`
}
