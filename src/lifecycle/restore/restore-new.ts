import type { PoolClient } from 'pg'
import { pathOf } from '../../migration/layout.js'
import type { Slug } from '../../names/slug.js'
import type { Tenant } from '../../registry/tenant.js'
import { addDomain } from '../domain/add-domain.js'
import type { ArchivedDomain } from '../backup/archive-record.js'
import type { LifecycleParts } from '../create/create.js'
import { parseFreeDomain } from '../domain/free-domain.js'
import { checkMetadata, validMetadata } from '../metadata.js'
import { arrivingMark, markSchema } from '../schema-mark.js'
import type { MakeRestored, RestoreOrder } from './restore-plan.js'

/**
 * Restores a tenant that is not there, in one transaction: its row and domains, then its schema and
 * rows, then the migrations that it has missed.
 *
 * @throws `TENANT_EXISTS`, `SCHEMA_EXISTS`, `DOMAIN_TAKEN`, `METADATA_INVALID`, `RESTORE_DIFFERS`
 */
export async function restoreNew(
  parts: LifecycleParts,
  plan: RestoreOrder,
  make: MakeRestored,
): Promise<{ readonly tenant: Tenant }> {
  const { db, layout } = parts
  const { slug, schema, archive } = plan
  const { name, metadata: archived, status } = archive.header.tenant
  const metadata = await validMetadata(parts, { tenant: slug, metadata: checkMetadata(archived) })
  return db.transaction(async (client) => {
    const tenant = await parts.registry.insert(client, { slug, name, schema, metadata })
    await addDomains(parts, client, plan)
    const path = pathOf(layout, schema, 'tenant')
    await make({ client, tenant, path }, { schema })
    if (plan.arriving !== undefined) {
      await markSchema(client, schema, arrivingMark(plan.arriving))
    } else if (status === 'active') return { tenant }
    // One that was deleted is not served either before somebody has looked at it.
    return { tenant: (await parts.registry.setStatus(client, slug, 'suspended')) ?? tenant }
  })
}

async function addDomains(
  parts: LifecycleParts,
  client: PoolClient,
  { slug, archive: { header } }: RestoreOrder,
): Promise<void> {
  // They lead to the tenant that was backed up, which may be served beside this one.
  if (slug === header.tenant.slug) await addArchivedDomains(parts, client, slug, header.domains)
}

/** Gives a tenant domains as they were elsewhere. @throws `DOMAIN_TAKEN` */
export async function addArchivedDomains(
  parts: LifecycleParts,
  client: PoolClient,
  slug: Slug,
  domains: readonly ArchivedDomain[],
): Promise<void> {
  for (const { host, path, primary, verified } of domains) {
    const domain = parseFreeDomain(host + path, parts)
    await addDomain(client, parts, { slug, domain, primary, verified })
  }
}
