import { splitStatements } from '../../postgres/sql-text.js'
import { BrokenArchive } from '../backup/archive-frame.js'

/** Orders to psql around a script, by which nothing in it is taken for one. */
const RESTRICT = /^\\restrict (\w+)$/m

/** Settings that are the caller's: how long to wait, where to look, and how text comes. */
const KEPT: ReadonlySet<string> = new Set([
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
  'client_min_messages',
])
const SETTING = /^SET (\w+) = ([^]*)$/
const SETS_PATH = /^SELECT pg_catalog\.set_config\('search_path'/

/** The statements of what `pg_restore --section=pre-data` or `post-data` writes. */
export function statementsOf(script: string): readonly string[] {
  const [restrict, token = ''] = RESTRICT.exec(script) ?? []
  const sql =
    restrict === undefined
      ? script
      : script.replace(restrict, '').replace(`\\unrestrict ${token}`, '')
  return splitStatements(sql).map(({ start, end }) => sql.slice(start, end))
}

/**
 * What to run of a statement: settings hold for the transaction alone, and those that the server
 * does not know, since the archive comes from a later one, are left out.
 *
 * @param known The names of the server's settings.
 * @throws {@link BrokenArchive} for an archive whose rows are in another encoding
 */
export function withinTransaction(text: string, known: ReadonlySet<string>): string | undefined {
  if (SETS_PATH.test(text)) return undefined
  const [, name = '', value = ''] = SETTING.exec(text) ?? []
  if (name === '') return text
  if (name === 'client_encoding') {
    if (/^'UTF-?8'/i.test(value)) return undefined
    throw new BrokenArchive(
      `its encoding is ${value.trim()}, it has to be made with --encoding=UTF8`,
    )
  }
  return KEPT.has(name) || !known.has(name) ? undefined : `SET LOCAL ${name} = ${value}`
}
