import { TenantryError, isTenantryError } from '../../errors.js'
import type { SchemaKind } from '../../selector/selector.js'
import { firstFew } from '../../support/first-few.js'
import { stepsOrNone } from '../run/goal.js'
import type { GuardRules } from '../guard/guard.js'
import type { RunEvent } from '../run/report.js'
import type { Migration } from '../source.js'
import type { SchemaWork } from '../run/work.js'
import { type LintFinding, lintText } from './lint.js'
import { type Parser, loadParser } from './parser.js'
import { FATAL_RULES } from './rules.js'

/** How {@link checkBeforeRun} looks, and whom it tells. */
export interface RunCheck {
  /** Without a value as `'error'`, where the parser is installed. */
  readonly lint: 'error' | 'warn' | false | undefined
  /** What may be written outside of the schema may be named as well. */
  readonly guard: GuardRules | undefined
  /** Schemas that are searched after a tenant's own. */
  readonly extras: readonly string[]
  readonly onEvent: ((event: RunEvent) => void) | undefined
}

/** A schema whose set is about to run; all tenants have the same one. */
interface Home {
  readonly kind: SchemaKind
  readonly schema: string
}

/** One text that would run, and where. */
interface PendingText {
  readonly migration: Migration
  readonly home: Home
}

/**
 * Lints what a run is about to send, each file once however many schemas need it.
 *
 * A run that has nothing to do reads nothing and loads no parser.
 *
 * @throws `LINT_FAILED`, and `LINT_PARSER_MISSING` where the check was asked for by name
 */
export async function checkBeforeRun(works: readonly SchemaWork[], check: RunCheck): Promise<void> {
  if (check.lint === false) return
  const pending = pendingTexts(works)
  if (pending.length === 0) return
  const parser = await parserFor(check)
  if (parser === undefined) return
  const findings = pending
    .flatMap((each) => findingsIn(parser, each, check))
    .filter(({ level }) => level !== 'note')
  for (const finding of findings) check.onEvent?.({ type: 'finding', finding })
  if (check.lint !== 'warn') requireNoErrors(findings)
}

function pendingTexts(works: readonly SchemaWork[]): readonly PendingText[] {
  const homes = new Map<string, { readonly home: Home; readonly migrations: Set<Migration> }>()
  for (const work of works) {
    const { kind, schema } = work.schema
    const key = kind === 'tenant' ? kind : `${kind} ${schema}`
    const known = homes.get(key) ?? { home: { kind, schema }, migrations: new Set() }
    homes.set(key, known)
    for (const migration of textsOf(work)) known.migrations.add(migration)
  }
  return [...homes.values()].flatMap(({ home, migrations }) =>
    [...migrations].toSorted((a, b) => a.id - b.id).map((migration) => ({ migration, home })),
  )
}

function textsOf(work: SchemaWork): readonly Migration[] {
  return stepsOrNone(work).flatMap(({ runs, migration }) =>
    runs && migration.id > 0 && migration.code === undefined ? [migration] : [],
  )
}

/** The default goes on without the check: a service in production may do without the parser. */
async function parserFor({ lint, onEvent }: RunCheck): Promise<Parser | undefined> {
  try {
    return await loadParser()
  } catch (error) {
    if (lint === 'error' || !isTenantryError(error, 'LINT_PARSER_MISSING')) throw error
    onEvent?.({ type: 'unchecked', error })
    return undefined
  }
}

const known = new WeakMap<Migration, Map<string, readonly LintFinding[]>>()

function findingsIn(
  parser: Parser,
  { migration, home }: PendingText,
  { guard, extras }: RunCheck,
): readonly LintFinding[] {
  const isTenant = home.kind === 'tenant'
  const allowed = [...(guard?.allow ?? []), ...(isTenant ? [] : [home.schema])]
  const key = JSON.stringify([home.kind, guard !== undefined, allowed, extras])
  const before = known.get(migration) ?? new Map<string, readonly LintFinding[]>()
  known.set(migration, before)
  const { file, fileName, sql } = migration
  const findings =
    before.get(key) ??
    lintText(
      parser,
      { migration, file: file ?? fileName, sql },
      {
        mayRead: (schema) => !isTenant || allowed.includes(schema) || extras.includes(schema),
        mayWrite: (schema) => guard === undefined || allowed.includes(schema),
      },
    ).filter(({ rule }) => home.kind !== 'shared' || FATAL_RULES.has(rule))
  before.set(key, findings)
  return findings
}

function requireNoErrors(findings: readonly LintFinding[]): void {
  const errors = findings.filter(({ level }) => level === 'error')
  const [first] = errors
  if (first === undefined) return
  const { migration, file, line } = first
  const lines = errors.map((each) => `${each.file}:${each.line} ${each.rule}: ${each.message}`)
  throw new TenantryError(
    'LINT_FAILED',
    `The linter found ${errors.length === 1 ? 'an error' : `${errors.length} errors`} in the ` +
      "migrations that would run, so nothing was run. Correct them; or run them with lint: 'warn' " +
      'if they are meant.\n' +
      `  ${firstFew(lines, '\n  ')}`,
    { migration, file, line, findings },
  )
}
