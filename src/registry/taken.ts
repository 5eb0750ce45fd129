import { TenantryError } from '../errors.js'
import { SQL_STATE, sqlStateOf } from '../postgres/sql-state.js'

/** Rethrows an error; a name that is taken is explained first. */
export function rethrow(error: unknown, explain: () => TenantryError): never {
  if (sqlStateOf(error) !== SQL_STATE.uniqueViolation) throw error
  const explained = explain()
  explained.cause = error
  throw explained
}

/** The error for names that another tenant has. */
export function tenantExists({
  slug,
  schema,
}: {
  readonly slug: string
  readonly schema?: string | undefined
}): TenantryError {
  const also = schema === undefined ? '' : ` or the schema "${schema}"`
  return new TenantryError(
    'TENANT_EXISTS',
    `A tenant with the slug "${slug}"${also} exists already. ` +
      'Choose another slug; a deleted tenant keeps its slug until it is purged.',
    { tenant: slug, schema },
  )
}

/** The error for a domain that leads to some tenant. */
export function domainTaken(domain: string): TenantryError {
  return new TenantryError(
    'DOMAIN_TAKEN',
    `The domain "${domain}" leads to a tenant already, or the tenant has it, or another primary ` +
      'domain. Remove it there first.',
    { domain },
  )
}
