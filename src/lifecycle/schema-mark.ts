import { TenantryError } from '../errors.js'
import { type SchemaName, quoteIdent, quoteLiteral } from '../names/schema-name.js'
import type { Queryable } from '../postgres/queryable.js'

/** What the package notes on a schema itself, in front of whatever comment it has. */
export interface SchemaMark {
  /**
   * `creating`: another tool makes the first migrations of a tenant that has no row yet; `deleted`:
   * the tenant is deleted; `purging`: a part of the schema is gone; `arriving`: a move from another
   * database has not come to its end; `moved`: the tenant is served by another database.
   */
  readonly kind: (typeof KINDS)[number]
  /** Since when. */
  readonly at: Date
  /** Words that belong to the kind. */
  readonly notes?: readonly string[]
}

const KINDS = ['creating', 'deleted', 'purging', 'arriving', 'moved'] as const
const MARK = new RegExp(`^tenantry: (${KINDS.join('|')}) (\\S+)((?: \\S+)*)(?:\\n|$)`)

/** The mark in the comment on a schema. */
export function markIn(comment: string | null | undefined): SchemaMark | undefined {
  const [, word, at = '', notes = ''] = MARK.exec(comment ?? '') ?? []
  const kind = KINDS.find((each) => each === word)
  if (kind === undefined) return undefined
  return { kind, at: new Date(at), notes: notes.split(' ').slice(1) }
}

/** The comment with another mark, or with none. */
function withMark(comment: string | null | undefined, mark?: SchemaMark): string {
  const rest = (comment ?? '').replace(MARK, '')
  if (mark === undefined) return rest
  const { kind, at, notes = [] } = mark
  return `tenantry: ${[kind, at.toISOString(), ...notes].join(' ')}\n${rest}`
}

/** The comments on schemas; those that do not exist are not in the answer. */
export async function readComments(
  db: Queryable,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  const { rows } = await db.query<{ schema: string; comment: string | null }>(
    `select n.nspname as schema, obj_description(n.oid, 'pg_namespace') as comment
     from pg_catalog.pg_namespace n where n.nspname = any ($1)`,
    [schemas],
  )
  return new Map(rows.map(({ schema, comment }) => [schema, comment]))
}

/** The mark on a schema. */
export async function markOf(db: Queryable, schema: string): Promise<SchemaMark | undefined> {
  return markIn((await readComments(db, [schema])).get(schema))
}

/** Notes on a schema what becomes of it; with `undefined` it is like any other again. */
export async function markSchema(
  db: Queryable,
  schema: SchemaName,
  mark: SchemaMark | undefined,
): Promise<void> {
  const before = (await readComments(db, [schema])).get(schema)
  const after = withMark(before, mark)
  const text = after === '' ? 'null' : quoteLiteral(after)
  await db.query(`comment on schema ${quoteIdent(schema)} is ${text}`)
}

/**
 * Refuses a schema of which a part may be gone.
 *
 * @throws `TENANT_STATUS`
 */
export async function requireNoPurge(db: Queryable, schema: SchemaName): Promise<void> {
  const mark = await markOf(db, schema)
  if (mark?.kind !== 'purging') return
  throw new TenantryError(
    'TENANT_STATUS',
    `A purge of schema "${schema}" has begun, so a part of it may be gone. Only tenants.purge() ` +
      'can be called, and finishes it.',
    { schema },
  )
}

/** The mark of a schema that arrives from another database. @param source The id of its tenant there. */
export function arrivingMark(source: string): SchemaMark {
  return { kind: 'arriving', at: new Date(), notes: [source] }
}
