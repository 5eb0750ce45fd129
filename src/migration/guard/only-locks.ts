import { mayCreate } from './guard.js'
import type { Migration } from '../source.js'

/**
 * A table that goes away leaves a lock that only a closer look can explain, and so does the old form
 * of a table that is written anew.
 */
const MAY_VANISH =
  /\b(drop|cascade|cluster|refresh|logged|access\s+method)\b|\balter\b[^;]*\b(type|generated|default\b[^;]*\()/i
/** What a foreign key does with rows. */
const WITH_ROWS = /\bon\s+(delete|update)\s+cascade\b/gi

const known = new WeakMap<Migration, boolean>()

/**
 * Whether the locks of a migration alone will tell whether it has left its schema, as far as its text
 * tells. To find out at the end that they do not would be to do all of it twice.
 */
export function leavesOnlyLocks(migration: Migration): boolean {
  const found = known.get(migration) ?? look(migration)
  known.set(migration, found)
  return found
}

function look(migration: Migration): boolean {
  return !mayCreate([migration]) && !MAY_VANISH.test(migration.sql.replaceAll(WITH_ROWS, ''))
}
