import type { Migration } from '../../../src/migration/source.js'

/** A migration of a set, with a hash of its own. */
export function migration(id: number, sql: string, fileName = `${id}_step_${id}.sql`): Migration {
  const name = fileName.replace(/^\d+_/, '').replace(/\.sql$/, '')
  return { id, name, fileName, sql, hash: `hash of ${id}`, file: `/set/${fileName}` }
}
