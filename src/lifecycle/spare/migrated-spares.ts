import type { PoolClient } from 'pg'
import { isTenantryError } from '../../errors.js'
import type { SpareSchemas } from '../../migration/spares.js'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { spareName } from '../../names/spare-name.js'
import type { SpareParts } from './make-spare.js'
import { probeRename } from './probe-rename.js'
import { type SpareSet, spareSetOf } from './spare-set.js'
import { readSpares, spareTable } from './table.js'

/** Spares, as runs of migrations see them. */
export function migratedSpares(parts: SpareParts): SpareSchemas {
  const { db, layout } = parts
  const shared = layout.shared.schema
  return {
    list: async (reader) => (await readSpares(reader, shared)).map(({ schema }) => schema),

    has: async (reader, name) =>
      (await readSpares(reader, shared)).some(({ schema }) => schema === name),

    drop: async (schema) => {
      await db.transaction((client) => dropSpare(client, shared, schema))
    },

    async settle(schema, migrations) {
      const set = spareSetOf(layout, migrations)
      const known = (await readSpares(db, shared)).find((spare) => spare.schema === schema)
      if (known === undefined || known.note !== set.ledger) return undefined
      if (known.ledger === set.ledger && known.path === set.path) return undefined
      const unfit = await whyUnfit(parts, { schema, set, path: known.path })
      if (unfit !== undefined) await db.transaction((client) => dropSpare(client, shared, schema))
      return unfit
    },
  }
}

/** Looks at a spare that has other migrations than before, and notes that it is fit. */
async function whyUnfit(
  { db, layout }: SpareParts,
  { schema, set, path }: { readonly schema: SchemaName; readonly set: SpareSet; path: string },
): Promise<string | undefined> {
  if (path !== set.path) return 'it was made for another search path'
  const { shared, tenants } = layout
  const table = spareTable(shared.schema)
  try {
    await db.transaction(async (client) => {
      const { rows } = await client.query(`select from ${table} where schema = $1 for update`, [
        schema,
      ])
      if (rows.length === 0) return
      const to = spareName(tenants.prefix)
      const { namesItself } = await probeRename(client, { schema, to })
      await client.query(`update ${table} set ledger = $2, names_itself = $3 where schema = $1`, [
        schema,
        set.ledger,
        namesItself,
      ])
    })
    return undefined
  } catch (error) {
    if (isTenantryError(error, 'SPARE_UNSAFE')) return error.message
    throw error
  }
}

/** Drops a spare in the caller's transaction. @returns whether there was one */
export async function dropSpare(
  client: PoolClient,
  shared: SchemaName,
  schema: SchemaName,
): Promise<boolean> {
  // Who has taken it meanwhile has deleted its row, and its name.
  const { rows } = await client.query(
    `delete from ${spareTable(shared)} where schema = $1 returning slot`,
    [schema],
  )
  if (rows.length === 0) return false
  await client.query(`drop schema if exists ${quoteIdent(schema)} cascade`)
  return true
}
