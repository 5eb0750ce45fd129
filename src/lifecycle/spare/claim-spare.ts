import type { PoolClient } from 'pg'
import { type SchemaName, quoteIdent } from '../../names/schema-name.js'
import { isYes, yesIf } from '../../postgres/answer.js'
import { repairRoutinePaths } from '../rename/name-in-text.js'
import { renameSchema } from '../rename/rename-schema.js'
import type { SpareSet } from './spare-set.js'
import { spareTable } from './table.js'

/** A schema that a spare is to become. */
export interface ClaimTarget {
  readonly schema: SchemaName
  /** The schema has been made already, and nothing is in it. */
  readonly isMade: boolean
}

/** Turns a spare into a tenant's schema, in the caller's transaction. */
export interface SpareOffer {
  /** @returns `false` when there is no spare that fits; then nothing was changed. */
  become(client: PoolClient, target: ClaimTarget): Promise<boolean>
}

interface ClaimedRow {
  readonly schema: SchemaName
  readonly namesItself: string | null
}

/** Offers spares that are what the set would make now. */
export function offerOf(shared: SchemaName, set: SpareSet): SpareOffer {
  return {
    async become(client, { schema, isMade }) {
      const { rows } = await client.query<ClaimedRow>(claimText(shared), [set.ledger, set.path])
      const [spare] = rows
      if (spare === undefined) return false
      if (isMade) await client.query(`drop schema ${quoteIdent(schema)}`)
      await renameSchema(client, { from: spare.schema, to: schema })
      if (isYes(spare.namesItself))
        await repairRoutinePaths(client, { from: spare.schema, to: schema })
      return true
    },
  }
}

/**
 * Claims one spare for this transaction. It must have had all migrations, and must have been found
 * fit at just that state; who migrates it at this moment keeps it. Another owner's would not be like
 * what the caller makes.
 */
function claimText(shared: SchemaName): string {
  const table = spareTable(shared)
  return `with free as (
      select s.slot, s.lock_key, s.alone_key from ${table} s
      where s.ledger = $1 and s.path = $2 and exists (
        select from pg_catalog.pg_namespace n
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'migrations'
        join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0
          and d.classoid = 'pg_catalog.pg_class'::regclass
        where n.nspname = s.schema and d.description = $1
          and n.nspowner = current_user::regrole)
      order by s.slot limit 1 for update of s skip locked)
    delete from ${table} s using free
    where s.slot = free.slot and pg_try_advisory_xact_lock(free.lock_key)
      and pg_try_advisory_xact_lock(free.alone_key)
    returning s.schema, ${yesIf('s.names_itself')} as "namesItself"`
}
