import type { PoolClient } from 'pg'
import { quoteIdent, quoteLiteral } from '../../names/schema-name.js'
import type { CopyCatalog, ForeignKey, Reaction } from './copy-catalog.js'
import type { LateKeys } from './late-keys.js'
import { setLocalPath } from '../../postgres/local-path.js'

/** A schema whose tables are filled with rows that some schema has had already. */
export interface Filling {
  /** The text of its `search_path`: functions that are called expect it. */
  readonly path: string
  readonly catalog: CopyCatalog
  /** Foreign keys that the order of the tables does not keep. */
  readonly cut: readonly ForeignKey[]
  /** Indexes and keys that are made after the rows are in. */
  readonly late: LateKeys
  /** Statements that take away what migrations have put in. */
  readonly empty: readonly string[]
}

/**
 * Lets `fill` write rows while nothing acts on its own: triggers and rules are switched off, and
 * afterwards as they were. Foreign keys that close a cycle and cannot be deferred are made again, so
 * that they are checked at the end; that needs no superuser, other than session_replication_role.
 */
export async function fillTables(
  client: PoolClient,
  { path, catalog, cut: wanted, late, empty }: Filling,
  fill: () => Promise<void>,
): Promise<void> {
  const run = (texts: readonly string[]): Promise<unknown> =>
    texts.length === 0 ? Promise.resolve() : client.query(texts.join(';\n'))
  const isLate = ({ owner, name }: ForeignKey): boolean =>
    late.some((key) => key.owner === owner && key.name === name)
  const cut = wanted.filter((key) => !isLate(key))

  await setLocalPath(client, path)
  await run(catalog.reactions.map(switchOff))
  await run(catalog.forced.map((table) => `alter table ${table} no force row level security`))
  await run([...cut.map(dropKey), ...late.map(({ drop }) => drop).toReversed()])
  await run(['set constraints all deferred', ...empty])
  await fill()
  await run([
    'set constraints all immediate',
    ...late.map(({ make }) => make),
    ...cut.flatMap(addKey),
  ])
  await run(catalog.forced.map((table) => `alter table ${table} force row level security`))
  await run(catalog.reactions.map(switchOn))
}

function switchOff({ owner, kind, name }: Reaction): string {
  return `alter table only ${owner} disable ${kind} ${quoteIdent(name)}`
}

function switchOn({ owner, kind, name, always }: Reaction): string {
  return `alter table only ${owner} enable ${always ? 'always ' : ''}${kind} ${quoteIdent(name)}`
}

function dropKey({ owner, name }: ForeignKey): string {
  return `alter table ${owner} drop constraint ${quoteIdent(name)}`
}

function addKey({ owner, name, definition, comment }: ForeignKey): readonly string[] {
  const constraint = quoteIdent(name)
  return [
    `alter table ${owner} add constraint ${constraint} ${definition}`,
    ...(comment === null
      ? []
      : [`comment on constraint ${constraint} on ${owner} is ${quoteLiteral(comment)}`]),
  ]
}
