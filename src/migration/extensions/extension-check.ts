import { TenantryError } from '../../errors.js'
import type { Queryable } from '../../postgres/queryable.js'
import { lineAt } from '../../support/line.js'
import { type ExtensionStatement, takenOut } from './extension-statements.js'
import { readInstalled } from './extensions.js'
import type { Migration } from '../source.js'

/** A migration that is about to be run. */
export interface ExtensionUse {
  readonly migration: Migration
  readonly way: 'there' | 'back'
}

/** What is known of the database's extensions before a run. */
export interface ExtensionFacts {
  /** Extensions that will be made before the migrations run. */
  readonly soon: readonly string[]
  /** Who makes extensions that this run does not make. */
  readonly later?: { readonly create: readonly string[]; readonly shared: string } | undefined
  /** Where each extension is, if that is known already. */
  readonly installed?: ReadonlyMap<string, string> | undefined
}

/**
 * Checks what migrations that are about to be run want of extensions. Nothing is asked of the
 * database where they want nothing.
 *
 * @throws `EXTENSION_MISSING`, `EXTENSION_DROPPED`
 */
export async function checkExtensions(
  db: Queryable,
  uses: readonly ExtensionUse[],
  { soon, later, installed: known }: ExtensionFacts,
): Promise<void> {
  const wanted = uses.flatMap(({ migration, way }) =>
    takenOut(migration, way).map((statement) => ({ migration, way, statement })),
  )
  for (const { migration, statement, way } of wanted) {
    if (statement.does === 'drop') throw dropped(migration, statement, way)
  }
  if (wanted.every(({ statement }) => soon.includes(statement.name))) return
  const installed = known ?? (await readInstalled(db))
  for (const { migration, statement, way } of wanted) {
    if (soon.includes(statement.name) || installed.has(statement.name)) continue
    throw notInstalled(migration, statement, { way, later })
  }
}

function notInstalled(
  migration: Migration,
  statement: ExtensionStatement,
  facts: { readonly way: ExtensionUse['way']; readonly later: ExtensionFacts['later'] },
): TenantryError {
  const { way, later } = facts
  const { name } = statement
  const advice = later?.create.includes(name)
    ? `A run that has the shared schema in it makes it: run that first, by "tenantry migrate -s ` +
      `${later.shared}" or for all schemas.`
    : 'Add it to "extensions.create", so that it is made once.'
  return new TenantryError(
    'EXTENSION_MISSING',
    `${placeOf(migration, statement, way)} creates the extension "${name}", which belongs to the ` +
      `whole database and is not installed. ${advice} Nothing was run.`,
    { extension: statement.name, ...factsOf(migration, statement, way) },
  )
}

function dropped(
  migration: Migration,
  statement: ExtensionStatement,
  way: ExtensionUse['way'],
): TenantryError {
  return new TenantryError(
    'EXTENSION_DROPPED',
    `${placeOf(migration, statement, way)} drops the extension "${statement.name}", which all schemas of ` +
      'the database share. Take the statement out of the file. Nothing was run.',
    { extension: statement.name, ...factsOf(migration, statement, way) },
  )
}

interface Facts {
  readonly migration: string
  readonly file?: string
  readonly line: number
}

function factsOf(
  { fileName, sql, down, file, downFile }: Migration,
  { start }: ExtensionStatement,
  way: ExtensionUse['way'],
): Facts {
  const path = way === 'there' ? file : downFile
  const line = lineAt(way === 'there' ? sql : (down ?? ''), start)
  return { migration: fileName, ...(path !== undefined && { file: path }), line }
}

function placeOf(
  migration: Migration,
  statement: ExtensionStatement,
  way: ExtensionUse['way'],
): string {
  const { line } = factsOf(migration, statement, way)
  const what = way === 'there' ? migration.fileName : `The reverse of ${migration.fileName}`
  return `${what}, line ${line},`
}
