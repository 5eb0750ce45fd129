import type { DomainName } from '../../names/domain-name.js'
import { yesIf } from '../../postgres/answer.js'
import type { MappedTable } from './mapping.js'
import type { Parameters } from './parameters.js'

/** Parts of statements about the service's table of domains, which is `d` in them. */
export interface DomainTexts {
  /** The columns of a domain; the tenants are `t`. */
  readonly columns: string
  /** The domain's path, empty for a whole host. */
  readonly path: string
  readonly isPrimary: string
  readonly isVerified: string
  /** The domains of the tenant whose slug is `$1`. */
  readonly owned: string
  /** The domain with a name; there is none with a path where no path is kept. */
  named(parameters: Parameters, domain: DomainName): string
  /** Whether two rows are about the same domain, and the first one is verified. */
  isSameVerified(verified: string, other: string): string
}

/** Puts the texts together. */
export function domainTexts(tenants: MappedTable, domains: MappedTable): DomainTexts {
  const host = domains.column('host')
  const pathOf = (row: string): string => textOr(row, domains.column('path'), `''`)
  const verifiedOf = (row: string): string => verifiedText(row, domains)
  const primary = domains.column('primary')
  const [path, isVerified] = [pathOf('d'), verifiedOf('d')]
  const isPrimary = primary === undefined ? 'false' : `d.${primary} is true`
  return {
    columns: `t.${tenants.column('slug')}::text as tenant, d.${host}::text as host, ${path} as path,
      ${yesIf(isPrimary)} as primary, ${yesIf(isVerified)} as verified`,
    path,
    isPrimary,
    isVerified,
    owned: `d.${domains.column('tenant')} = (
      select t.${tenants.column('id')} from ${tenants.quoted} t where t.${tenants.column('slug')} = $1)`,
    named: (parameters, domain) =>
      `d.${host} = ${parameters.add(domain.host)} and ${path} = ${parameters.add(domain.path)}::text`,
    isSameVerified: (verified, other) =>
      `${verified}.${host} = ${other}.${host} and ${pathOf(verified)} = ${pathOf(other)}
       and ${verifiedOf(verified)}`,
  }
}

function textOr(row: string, column: string | undefined, otherwise: string): string {
  return column === undefined
    ? `${otherwise}::text`
    : `coalesce(${row}.${column}::text, ${otherwise})`
}

function verifiedText(row: string, domains: MappedTable): string {
  const [verified, verifiedAt] = [domains.column('verified'), domains.column('verifiedAt')]
  if (verified !== undefined) return `(${row}.${verified} is true)`
  return verifiedAt === undefined ? 'true' : `(${row}.${verifiedAt} is not null)`
}
