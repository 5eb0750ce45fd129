import type { PoolClient } from 'pg'
import { TenantryError } from '../../errors.js'
import { sessionKey } from '../advisory-lock.js'
import { isYes, yesIf } from '../answer.js'
import { isDirect } from '../pooler.js'
import { type Prelude, explainPrelude } from '../statement/prelude.js'
import { toError } from '../sql-state.js'
import { present } from '../../support/present.js'

/** What a session had before a scope, by the setting's name. */
export type FormerSettings = ReadonlyMap<string, string>

interface Probe {
  readonly pid: number
  readonly temporary: boolean
  readonly values: readonly string[]
}

type ProbeRow = Readonly<Record<keyof Probe, string>>

/**
 * Sets the path and the settings of a scope for the whole session, for statements that refuse a transaction.
 *
 * A pooler in transaction mode would hand the next statement to another backend, and this one, with
 * its path, to somebody else: behind a pooler nothing is set.
 *
 * @param poolerKeepsSession The caller knows that the pooler in between is in session mode.
 * @returns what the session had before.
 * @throws `POOLER_IN_BETWEEN`, `SCHEMA_MISSING`
 */
export async function fixPath(
  client: PoolClient,
  prelude: Prelude,
  poolerKeepsSession: boolean,
): Promise<FormerSettings> {
  const names = ['search_path', ...Object.keys(prelude.settings)]
  const before = await probe(client, names)
  if (!poolerKeepsSession && !isDirect(client, before.pid)) throw pooler(prelude)
  // Nobody's temporary table may stand where the schema has none of that name.
  if (before.temporary) await client.query('discard temp')
  // PostgreSQL ignores a schema in the path that is gone, and would let the next one answer: as long
  // as the path is set, nobody renames or drops the schema. Whoever is at that is waited for.
  await client.query('select pg_advisory_lock_shared($1)', [sessionKey(prelude.schema)])
  await client
    .query(prelude.sessionText, [...prelude.values])
    .catch((error: unknown) => Promise.reject(explainPrelude(toError(error), prelude)))
  const after = await probe(client, names)
  if (after.pid !== before.pid || after.values[0] !== prelude.path) throw pooler(prelude)
  return new Map(names.map((name, at) => [name, present(before.values[at])]))
}

/** Gives the session back what it had, looks whether it has it, and lets go of all session locks. */
export async function restoreSettings(client: PoolClient, former: FormerSettings): Promise<void> {
  const names = [...former.keys()]
  const settings = names.map((_, at) => `set_config($${2 * at + 1}, $${2 * at + 2}, false)`)
  // The last one first: a role that was set last may not be allowed to change the others.
  const texts = [...settings.toReversed(), 'pg_advisory_unlock_all()']
  await client.query(`select ${texts.join(', ')}`, [...former].flat())
  const { values } = await probe(client, names)
  const missed = names.find((name, at) => values[at] !== former.get(name))
  if (missed !== undefined) throw new Error(`the setting ${missed} could not be restored`)
}

async function probe(client: PoolClient, names: readonly string[]): Promise<Probe> {
  const { rows } = await client.query<ProbeRow>(
    `select pg_backend_pid()::text as pid, ${yesIf('pg_my_temp_schema() <> 0')} as temporary,
            to_json(array(select coalesce(current_setting(name, true), '')
                          from unnest($1::text[]) with ordinality as asked (name, at)
                          order by at))::text as values`,
    [names],
  )
  const row = present(rows[0])
  return { pid: Number(row.pid), temporary: isYes(row.temporary), values: JSON.parse(row.values) }
}

function pooler({ schema }: Prelude): TenantryError {
  return new TenantryError(
    'POOLER_IN_BETWEEN',
    'A session scope needs a connection of its own, but a pooler is in between. Connect to ' +
      'PostgreSQL directly for this, or set scope.pooler to "session" if the pooler is in session mode.',
    { schema },
  )
}
