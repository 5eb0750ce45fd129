import type { PoolClient } from 'pg'
import { isYes, yesIf } from '../answer.js'
import { type ClientMemory, memoryOf } from './client-memory.js'
import type { Leaving } from './leavings.js'
import { toError } from '../sql-state.js'

/** What is cleaned in one round trip; after anything else the client is replaced. */
const CLEANED: ReadonlySet<Leaving> = new Set(['lock', 'cursor', 'channel', 'temporary'])
const CLEAN = `select pg_advisory_unlock_all(); close all; unlisten *`
const HAS_NO_TEMPORARY = `select ${yesIf('pg_my_temp_schema() = 0')} as clean`

/** Tells whether nothing of a scope is left on its client, as far as is known. */
export function isClean(client: PoolClient, maxSchemas: number): boolean {
  const { leavings, schemas, path } = memoryOf(client)
  return leavings.size === 0 && schemas.size <= maxSchemas && !path.hasChanged()
}

/**
 * Cleans what a scope has left on its client.
 *
 * @returns why the client has to be replaced instead; `undefined` for one that is clean.
 */
export async function cleanClient(
  client: PoolClient,
  maxSchemas: number,
): Promise<string | undefined> {
  const memory = memoryOf(client)
  if (memory.path.hasChanged()) return 'the search_path of the session has changed'
  if (memory.leavings.size > 0) {
    const beyond = [...memory.leavings].find((leaving) => !CLEANED.has(leaving))
    if (beyond !== undefined) return `a scope has left a ${beyond} on its connection`
    const failure = await cleanLeavings(client, memory)
    if (failure !== undefined) return failure
  }
  return memory.schemas.size > maxSchemas
    ? `a client has seen more than ${maxSchemas} schemas`
    : undefined
}

async function cleanLeavings(
  client: PoolClient,
  { leavings }: ClientMemory,
): Promise<string | undefined> {
  try {
    if (leavings.delete('temporary')) {
      const { rows } = await client.query<{ clean: string | null }>(HAS_NO_TEMPORARY)
      if (!isYes(rows[0]?.clean)) return 'a scope has left temporary objects'
    }
    if (leavings.size > 0) await client.query(CLEAN)
    leavings.clear()
    return undefined
  } catch (error) {
    return `a client could not be cleaned: ${toError(error).message}`
  }
}
