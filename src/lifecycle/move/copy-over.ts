import { PassThrough } from 'node:stream'
import { parseSchemaName } from '../../names/schema-name.js'
import { isError } from '../../support/is-error.js'
import { backupTenant } from '../backup/backup.js'
import { makeContents } from '../restore/make-contents.js'
import { type OpenArchive, withArchive } from '../restore/read-archive.js'
import { restoreNew } from '../restore/restore-new.js'
import { planOf } from '../restore/restore-plan.js'
import type { Arrival } from './arrival.js'
import type { Move } from './move.js'
import { type MoveSource, notCurrent } from './source.js'

/**
 * Restores a tenant in the other database from a backup that is being written, in one transaction;
 * the tenant is served meanwhile from where it is. The copy is suspended.
 *
 * @throws what backup and restore throw, and `MOVE_REFUSED`; then nothing was changed
 */
export async function copyOver(move: Move, source: MoveSource): Promise<Arrival> {
  const { from, slug, lockTimeoutMs, signal } = move
  const stream = new PassThrough()
  const options = { lockTimeout: lockTimeoutMs, ...(signal && { signal }) }
  const reading = withArchive(stream, (archive) => arrive(move, source, archive))
  const [arrival] = await together(
    [reading, backupTenant(from, { tenant: slug, target: stream }, options)],
    (cause) => stream.destroy(cause),
  )
  return arrival
}

async function arrive(
  { to, onEvent, lockTimeoutMs }: Move,
  { tenant: source, parked }: MoveSource,
  archive: OpenArchive,
): Promise<Arrival> {
  const { header } = archive
  const schema = parked?.former ?? header.tenant.schema
  const opened = { ...archive, header: { ...header, tenant: { ...header.tenant, schema } } }
  const lockTimeout = lockTimeoutMs
  const plan = await planOf(to, opened, { lockTimeout, ...(onEvent && { onEvent }) })
  const pending = plan.migrations.find((migration) => !plan.had.includes(migration))
  if (pending !== undefined) throw notCurrent(source, pending.fileName)
  const { tenant } = await restoreNew(to, { ...plan, arriving: source.id }, (place, target) =>
    makeContents(to, place, { ...plan, ...target }),
  )
  return { tenant, schema: parseSchemaName(tenant.schema), isServed: false }
}

/** Awaits both ends of a stream; what fails first ends the other one, and is what is thrown. */
async function together<A, B>(
  ends: readonly [Promise<A>, Promise<B>],
  stop: (cause: Error) => void,
): Promise<[A, B]> {
  const failures: unknown[] = []
  for (const end of ends) {
    end.catch((error: unknown) => {
      failures.push(error)
      stop(isError(error) ? error : new Error('The other end failed.', { cause: error }))
    })
  }
  await Promise.allSettled(ends)
  if (failures.length > 0) throw failures[0]
  return Promise.all(ends)
}
