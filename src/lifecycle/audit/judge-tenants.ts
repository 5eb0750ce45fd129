import type { SchemaLayout } from '../../migration/layout.js'
import type { Tenant } from '../../registry/tenant.js'
import type { AuditFinding } from './finding.js'
import type { SchemaMark } from '../schema-mark.js'
import type { Observed, SeenSchema } from './observe.js'
import { reservedSchemas } from './reserved.js'

type Judgement = Pick<AuditFinding, 'kind' | 'message' | 'repair' | 'since'>

/** What is the matter with each tenant by itself. */
export function judgeTenants(
  { tenants, schemas }: Pick<Observed, 'tenants' | 'schemas'>,
  layout: SchemaLayout,
): readonly AuditFinding[] {
  const seen = new Map(schemas.map((schema) => [schema.name, schema]))
  const reserved = reservedSchemas(layout)
  return tenants.flatMap((tenant) => {
    const { slug, schema, status } = tenant
    const found = reserved.has(schema) ? onReserved(tenant) : judge(tenant, seen.get(schema))
    if (found === undefined) return []
    const { kind, ...rest } = found
    return [{ kind, tenant: slug, status, schema, ...rest }]
  })
}

function onReserved({ slug, schema }: Tenant): Judgement {
  return {
    kind: 'schema-reserved',
    message: `Tenant "${slug}" has the schema "${schema}", which the configuration gives to all.`,
    repair: `Give the tenant a schema of its own in the registry, and move its data there.`,
  }
}

function judge(tenant: Tenant, schema: SeenSchema | undefined): Judgement | undefined {
  if (schema === undefined) return withoutSchema(tenant)
  const { mark } = schema
  if (mark?.kind === 'purging') return halfPurged(tenant, mark.at)
  if (tenant.status === 'deleted') return deleted(tenant, mark?.at)
  if (tenant.status === 'provisioning') {
    return {
      kind: 'tenant-provisioning',
      message: `Tenant "${tenant.slug}" is provisioning, and its schema is there.`,
      repair: `Call tenants.activate('${tenant.slug}') when the schema is complete.`,
    }
  }
  if (mark === undefined) return undefined
  if (mark.kind === 'moved' || mark.kind === 'arriving') return onTheMove(tenant, mark)
  return {
    kind: 'mark-contradicts',
    since: mark.at,
    message: `Tenant "${tenant.slug}" is ${tenant.status}, but its schema is marked as "${mark.kind}".`,
    repair:
      `Look whether the schema is whole. If it is, take the line that begins with "tenantry:" out of ` +
      `the comment on schema "${schema.name}"; else call tenants.restore(backup, { replace: true }).`,
  }
}

function withoutSchema({ slug, schema, status }: Tenant): Judgement {
  if (status === 'provisioning') {
    return {
      kind: 'tenant-provisioning',
      message: `Tenant "${slug}" is provisioning, and its schema "${schema}" is not there yet.`,
      repair: `Have the schema made and call tenants.activate('${slug}'), or ${purgeText(slug)}.`,
    }
  }
  const gone = `Tenant "${slug}" is ${status}, but its schema "${schema}" does not exist.`
  return {
    kind: 'tenant-without-schema',
    message: gone,
    repair:
      status === 'deleted'
        ? `Call tenants.purge('${slug}', { confirm: '${slug}' }), which forgets the tenant.`
        : `Restore the schema by tenants.restore(backup, { replace: true }), or ${purgeText(slug)}.`,
  }
}

function halfPurged({ slug, status }: Tenant, since: Date): Judgement {
  const purge = `tenants.purge('${slug}', { confirm: '${slug}' })`
  return {
    kind: 'purge-unfinished',
    since,
    message: `The purge of tenant "${slug}" has begun and did not come to its end; a part of its schema is gone.`,
    repair:
      status === 'deleted'
        ? `Call ${purge} again, which finishes it.`
        : `The tenant is ${status}: call tenants.delete('${slug}') and ${purge}, or restore the schema by tenants.restore(backup, { replace: true }).`,
  }
}

function deleted({ slug }: Tenant, since: Date | undefined): Judgement {
  return {
    kind: 'tenant-deleted',
    ...(since !== undefined && { since }),
    message: `Tenant "${slug}" is deleted, and its schema is kept.`,
    repair: `Call tenants.undelete('${slug}') to serve it again, or tenants.purge('${slug}', { confirm: '${slug}' }) to drop its data.`,
  }
}

function onTheMove({ slug, status }: Tenant, { kind, at }: SchemaMark): Judgement {
  if (kind === 'arriving') {
    return {
      kind: 'tenant-arriving',
      since: at,
      message: `A move of tenant "${slug}" to this database has not come to its end.`,
      repair: `Call tenants.move('${slug}', …) again where it comes from, which goes on; or ${purgeText(slug)}.`,
    }
  }
  return {
    kind: 'tenant-moved',
    since: at,
    message: `Tenant "${slug}" is ${status}: it was moved to another database, or was about to be.`,
    repair:
      `If it is served there, ${purgeText(slug)}; if not, call tenants.move('${slug}', …) again. ` +
      `tenants.takeBack('${slug}') serves it from here.`,
  }
}

function purgeText(slug: string): string {
  return `call tenants.delete('${slug}') and tenants.purge('${slug}', { confirm: '${slug}' })`
}
