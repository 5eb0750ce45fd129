import type { PoolClient } from 'pg'
import { aloneKeyOf, schemaKeyOf } from '../../migration/unit/enter.js'
import { checkExtensions } from '../../migration/extensions/extension-check.js'
import { installExtensions } from '../../migration/extensions/extensions.js'
import type { SchemaLayout } from '../../migration/layout.js'
import type { SchemaName } from '../../names/schema-name.js'
import { spareName } from '../../names/spare-name.js'
import { lockKey } from '../../postgres/advisory-lock.js'
import type { Database } from '../../postgres/database.js'
import { createSchema, migrateNew } from '../create/structure.js'
import { probeRename } from './probe-rename.js'
import type { SpareSet } from './spare-set.js'
import { spareTable } from './table.js'

/** What spares are made with. */
export interface SpareParts {
  readonly db: Database
  readonly layout: SchemaLayout
  /** How many spares there are to be. */
  readonly count: number
}

/** Makes what all spares need before the first one is made. */
export async function prepareForSpares(
  { db, layout }: SpareParts,
  { migrations }: SpareSet,
): Promise<void> {
  const uses = migrations.map((migration) => ({ migration, way: 'there' as const }))
  await checkExtensions(db, uses, { soon: layout.extensions?.create ?? [] })
  await installExtensions(db, layout.extensions)
  const table = spareTable(layout.shared.schema)
  // Somebody has dropped the schema by hand.
  await db.query(`delete from ${table} where to_regnamespace(quote_ident(schema)) is null`)
}

/**
 * Makes one spare if one is missing, in one transaction: there is a whole one afterwards or none,
 * whatever becomes of the process.
 *
 * @returns `false` when none is missing, or others are making what is missing.
 * @throws `SPARE_UNSAFE`, `MIGRATION_FAILED`
 */
export function makeSpare({ db, layout, count }: SpareParts, set: SpareSet): Promise<boolean> {
  return db.transaction(async (client) => {
    const { shared, tenants } = layout
    const slot = await takeSlot(client, shared.schema, count)
    if (slot === undefined) return false
    const schema = spareName(tenants.prefix)
    await createSchema(client, schema)
    await migrateNew(client, layout, { schema, migrations: set.migrations })
    const { namesItself } = await probeRename(client, { schema, to: spareName(tenants.prefix) })
    await client.query(
      `insert into ${spareTable(shared.schema)}
         (slot, schema, ledger, path, names_itself, lock_key, alone_key)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [slot, schema, set.ledger, set.path, namesItself, schemaKeyOf(schema), aloneKeyOf(schema)],
    )
    return true
  })
}

/** A slot that is free, and kept from others until the transaction ends. */
async function takeSlot(
  client: PoolClient,
  shared: SchemaName,
  count: number,
): Promise<number | undefined> {
  const table = spareTable(shared)
  const keys = Array.from({ length: count }, (_, at) => lockKey('spare', shared, String(at + 1)))
  // The subquery is kept apart so that no lock is taken of a slot that is not free.
  const { rows } = await client.query<{ slot: number }>(
    `select free.slot::int as slot from (
       select k.slot, k.key from unnest($1::bigint[]) with ordinality k (key, slot)
       where not exists (select from ${table} s where s.slot = k.slot) offset 0) free
     where pg_try_advisory_xact_lock(free.key) limit 1`,
    [keys],
  )
  const slot = rows[0]?.slot
  if (slot === undefined) return undefined
  // Who had the lock before may have filled the slot after the first query had begun.
  const { rows: filled } = await client.query(`select from ${table} where slot = $1`, [slot])
  return filled.length === 0 ? slot : takeSlot(client, shared, count)
}
