import { isDeepStrictEqual } from 'node:util'
import type { PoolClient } from 'pg'
import { archivedDomain } from '../backup/archive-record.js'
import { parseFreeDomain } from '../domain/free-domain.js'
import { tenantNotFound } from '../not-found.js'
import { addArchivedDomains } from '../restore/restore-new.js'
import { markSchema } from '../schema-mark.js'
import type { Arrival } from './arrival.js'
import type { Move } from './move.js'
import type { MoveSource } from './source.js'

/** Gives the copy the row and the domains that the source has by now, and the status that it had. */
export async function serveArrival(
  { from, to, slug }: Move,
  { reader, writer }: { readonly reader: PoolClient; readonly writer: PoolClient },
  { parked }: MoveSource,
  { schema }: Arrival,
): Promise<void> {
  const { name, metadata } = (await from.registry.findBySlug(reader, slug)) ?? tenantNotFound(slug)
  await to.registry.update(writer, slug, { name, metadata })
  const wanted = (await from.registry.domainsOf(reader, slug)).map(archivedDomain)
  const found = (await to.registry.domainsOf(writer, slug)).map(archivedDomain)
  if (!isDeepStrictEqual(wanted, found)) {
    for (const { host, path } of found) {
      await to.registry.removeDomain(writer, slug, parseFreeDomain(host + path, to))
    }
    await addArchivedDomains(to, writer, slug, wanted)
  }
  await markSchema(writer, schema, undefined)
  if (parked?.status === 'active') await to.registry.setStatus(writer, slug, 'active')
}
