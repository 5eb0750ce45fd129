import type { TenantStatus } from '../../registry/tenant.js'

/**
 * Every kind of an {@link AuditFinding}; `docs/tenants.md` explains each of them.
 *
 * @example
 * import { AUDIT_KINDS, type AuditFinding } from 'tenantry'
 *
 * const countsOf = (findings: readonly AuditFinding[]) =>
 *   AUDIT_KINDS.map((kind) => findings.filter((finding) => finding.kind === kind).length)
 */
export const AUDIT_KINDS = [
  'create-unfinished',
  'domain-unreachable',
  'domain-without-tenant',
  'ledger-without-tenant',
  'mark-contradicts',
  'name-invalid',
  'names-differ-by-case',
  'purge-unfinished',
  'schema-of-several',
  'schema-reserved',
  'schema-without-tenant',
  'tenant-arriving',
  'tenant-deleted',
  'tenant-moved',
  'tenant-provisioning',
  'tenant-without-schema',
] as const

/** What is the matter; stable across releases. */
export type AuditKind = (typeof AUDIT_KINDS)[number]

/** Something about tenants, schemas or domains that does not fit together. */
export interface AuditFinding {
  readonly kind: AuditKind
  /** Slug of the tenant, where it is about one. */
  readonly tenant?: string
  readonly status?: TenantStatus
  readonly schema?: string
  /** Host name, with its path if it has one. */
  readonly domain?: string
  /** All names that the finding is about, where they are several. */
  readonly names?: readonly string[]
  /** When the tenant was deleted, or the work began that did not come to its end. */
  readonly since?: Date
  /** Somebody is at work in the schema at this moment, so that it may not be left over at all. */
  readonly busy?: true
  /** What is the matter, in a sentence. */
  readonly message: string
  /** What to do about it, in a sentence. */
  readonly repair: string
}

/** What `tenants.audit` found. */
export interface AuditReport {
  /** Empty when every tenant has its schema, and every schema its tenant. */
  readonly findings: readonly AuditFinding[]
  /** How many tenants were looked at, those that are deleted included. */
  readonly tenants: number
  /** How many schemas the database has, those of the server left out. */
  readonly schemas: number
}
