import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { TestDatabase } from '../support/database.js'

/** A folder for the archives of a test file. */
export function useFolder(): { readonly file: (name: string) => string } {
  let folder = ''
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenantry-archive-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return {
    file(name) {
      count += 1
      return join(folder, `${count}-${name}`)
    },
  }
}

/** Everything that is in the tables, sequences and materialized views of a schema. */
export async function contentsOf(
  { admin }: TestDatabase,
  schema: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { rows } = await admin.query<{ name: string; kind: string }>(
    `select relname as name, relkind as kind from pg_class
     where relnamespace = $1::regnamespace and relkind in ('r', 'm', 'S') and relispopulated
     order by relname`,
    [schema],
  )
  const contents: Record<string, unknown> = {}
  const client = await admin.connect()
  try {
    // Names in values are short, so that they are the same wherever the schema is.
    await client.query(`select set_config('search_path', $1, false)`, [schema])
    for (const { name, kind } of rows) {
      const text =
        kind === 'S'
          ? `select last_value::text as row, is_called from ${name}`
          : `select t::text as row from only "${name}" t order by 1`
      contents[name] = (await client.query(text)).rows
    }
  } finally {
    await client.query('reset search_path')
    client.release()
  }
  return contents
}

/**
 * Moves an amount from a loan to its fees over and over again, so that their sum stays the same, until
 * it is stopped.
 *
 * @param schema One with the tables `loans` and `fees`, and a loan with the id 2.
 * @returns Stops it, and says how often it has been done.
 */
export function moveAmounts({ admin }: TestDatabase, schema: string): () => Promise<number> {
  const stop = new AbortController()
  const moving = (async (): Promise<number> => {
    let moves = 0
    for (; !stop.signal.aborted; moves += 1) {
      await admin.query(`with taken as (
          update ${schema}.loans set amount = amount - 1 where id = 2 returning 1 as amount)
        insert into ${schema}.fees (loan, amount) select 2, amount from taken`)
    }
    return moves
  })()
  return () => {
    stop.abort()
    return moving
  }
}
