import { dirname, join } from 'node:path'
import { type GuardOption, resolveGuard } from '../guard/guard-option.js'
import type { Migration, MigrationSource } from '../source.js'
import { type Parser, loadParser } from './parser.js'
import { placeOf, readFileText } from './piece.js'
import type { Hit, LintFile, LintLevel } from './rule.js'
import { RULES, UNKNOWN_RULE } from './rules.js'
import { type Suppressions, suppressionsIn } from './suppression.js'

/** What {@link lint} is told about the schemas. */
export interface LintOptions {
  /** Schemas that are searched after a tenant's own, as in the router's `searchPath`: reading from them by name is fine. */
  readonly searchPath?: readonly string[]
  /** More schemas that all tenants may read from. */
  readonly allow?: readonly string[]
  /**
   * The guard of the router, as in its options: what it allows may be written to by name, as in a
   * run.
   *
   * @defaultValue `{ allow: [] }`
   */
  readonly guard?: GuardOption | undefined
}

/** Something in a migration that would go wrong when the same file runs in every schema. */
export interface LintFinding {
  /** Name of the rule; `docs/lint.md` explains each. */
  readonly rule: string
  /** An `error` would write outside of the schema, take another schema's object for its own, or fail. */
  readonly level: LintLevel
  /** Full path of the file, or its name where it comes from no directory. */
  readonly file: string
  /** File name of the migration. */
  readonly migration: string
  /** One-based. */
  readonly line: number
  /** One-based; missing where the place within the line is not known. */
  readonly column?: number
  /** What is wrong, and what to write instead. */
  readonly message: string
}

/**
 * Looks for SQL in migrations that is unsafe when the same file runs in every tenant's schema.
 *
 * Each file is read by PostgreSQL's own parser, from the package `libpg-query`, which has to be
 * installed beside tenantry. No database is needed. Migrations written in code are passed over.
 *
 * @param migrations A migration set, or its source, such as `directory('migrations/tenant')`.
 * @param options Schemas that the migrations may read from.
 * @returns the findings, in the order of the files and their lines.
 * @throws `LINT_PARSER_MISSING`, `MIGRATION_SOURCE_INVALID`
 * @example
 * import { directory, lint } from 'tenantry/migrate'
 *
 * const findings = await lint(directory('migrations/tenant'), { searchPath: ['public'] })
 * for (const { file, line, message } of findings) console.log(`${file}:${line} ${message}`)
 */
export async function lint(
  migrations: MigrationSource | readonly Migration[],
  options: LintOptions = {},
): Promise<readonly LintFinding[]> {
  const parser = await loadParser()
  const loaded = 'load' in migrations ? await migrations.load() : migrations
  const guard = resolveGuard(options.guard)
  const writable = new Set(guard?.allow)
  const readable = new Set([...(options.searchPath ?? []), ...(options.allow ?? []), ...writable])
  const reach: Reach = {
    mayRead: (schema) => readable.has(schema),
    mayWrite: (schema) => guard === undefined || writable.has(schema),
  }
  // Number 0 is the ledger's own table, which is no file of the user's.
  return loaded
    .filter(({ id, code }) => id > 0 && code === undefined)
    .flatMap(textsOf)
    .flatMap((text) => lintText(parser, text, reach))
}

/** Which other schemas a migration may name. */
export type Reach = Pick<LintFile, 'mayRead' | 'mayWrite'>

/** One text of a migration: its SQL, or that of its reverse. */
export interface MigrationText {
  readonly migration: Migration
  readonly file: string
  readonly sql: string
}

/** A migration and its reverse are two files. */
function textsOf(migration: Migration): readonly MigrationText[] {
  const { file, fileName, sql, down, downFile } = migration
  const text = { migration, file: file ?? fileName, sql }
  if (down === undefined) return [text]
  return [
    text,
    { migration, file: downFile ?? join(dirname(text.file), 'down', fileName), sql: down },
  ]
}

/** The findings in one text, in the order of their lines. */
export function lintText(
  parser: Parser,
  text: MigrationText,
  reach: Reach,
): readonly LintFinding[] {
  const { migration, sql } = text
  const file: LintFile = { ...readFileText(parser, sql), migration, sql, ...reach }
  const suppressions = suppressionsIn(sql)
  const found = RULES.flatMap((rule) =>
    [...rule.check(file)].map((hit) => finding(text, rule, hit)),
  )
  return [...found, ...unknownNames(text, suppressions)]
    .filter(({ rule, line }) => !suppressions.covers(rule, line))
    .toSorted((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0))
}

function finding(
  { migration, file }: MigrationText,
  rule: { readonly name: string; readonly level: LintLevel },
  { at, level, message }: Hit,
): LintFinding {
  const { line, column } = 'line' in at ? at : placeOf(at)
  return {
    rule: rule.name,
    level: level ?? rule.level,
    file,
    migration: migration.fileName,
    line,
    ...(column !== undefined && { column }),
    message,
  }
}

function unknownNames(text: MigrationText, { unknown }: Suppressions): readonly LintFinding[] {
  const rule = { name: UNKNOWN_RULE, level: 'warning' } as const
  return unknown.map(({ name, line }) => {
    const message =
      name === ''
        ? 'The comment names no rule, so it switches off nothing. Name the rules that it is about.'
        : `There is no rule "${name}", so the comment switches off nothing. Correct its name.`
    return finding(text, rule, { at: { line }, message })
  })
}
