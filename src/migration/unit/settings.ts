import type { PoolClient } from 'pg'
import { splitStatements } from '../../postgres/sql-text.js'
import { present } from '../../support/present.js'

/** What a migration may change for those that come after it on the same connection. */
export interface Settings {
  readonly role: string
  readonly values: ReadonlyMap<string, string>
}

/** Most files have none of these words, and are not lexed for this. */
const MAY_BE = /\b(set|reset|discard|set_config|temp|temporary|pg_temp)\b/i
const TEMPORARY = /\b(temp|temporary|pg_temp)\b/i
const FIRST: ReadonlySet<string> = new Set(['set', 'reset', 'discard'])

/** Tells whether a text shows that it changes settings, the role or temporary tables. */
export function leavesSettings(sql: string): boolean {
  if (!MAY_BE.test(sql)) return false
  if (TEMPORARY.test(sql) || /\bset_config\b/i.test(sql)) return true
  return splitStatements(sql).some(({ words: [first = ''] }) => FIRST.has(first))
}

interface SettingRow {
  readonly name: string
  readonly value: string
  readonly reset: string
}

const READ = `
  select name, setting as value, reset_val as reset from pg_catalog.pg_settings
  where source = 'session' union all
  select 'role', pg_catalog.current_setting('role'), 'none'`

/** What is set on the connection at this moment. */
export async function readSettings(client: PoolClient): Promise<Settings> {
  const { rows } = await client.query<SettingRow>(READ)
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  return { role: present(values.get('role')), values }
}

/** Gives the connection back what it had, until the transaction ends. */
export async function restoreSettings(
  client: PoolClient,
  before: Settings,
  sql: string,
): Promise<void> {
  await client.query('reset session authorization')
  await client.query(`select pg_catalog.set_config('role', $1, true)`, [before.role])
  const { rows } = await client.query<SettingRow>(READ)
  const now = new Map(rows.map((row) => [row.name, row]))
  const changed = [...before.values].filter(([name, value]) => now.get(name)?.value !== value)
  const added = rows.flatMap(({ name, reset }): [string, string][] =>
    before.values.has(name) ? [] : [[name, reset]],
  )
  const all = [...changed, ...added].filter(([name]) => name !== 'role')
  if (all.length > 0) {
    await client.query(
      `select pg_catalog.set_config(name, value, true)
       from unnest($1::text[], $2::text[]) as former (name, value)`,
      [all.map(([name]) => name), all.map(([, value]) => value)],
    )
  }
  if (TEMPORARY.test(sql)) await client.query('discard temp')
}
