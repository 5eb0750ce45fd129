import type { CatalogItem } from '../../migration/verify/describe.js'
import type { Domain, TenantStatus } from '../../registry/tenant.js'
import type { SchemaKind } from '../../selector/selector.js'

/**
 * The form of an archive. A reader takes this one and all before it; what is added must be left out
 * by those who do not know it, or the number goes up.
 */
export const ARCHIVE_FORMAT = 1

/** What the first line of each archive says of its schema: all but the rows. */
export interface ArchiveHead {
  readonly tenantry: 'backup'
  readonly format: number
  /** When the snapshot was taken. */
  readonly at: string
  /** The number of the server's version, such as 180004. */
  readonly server: number
  readonly ledger: readonly ArchivedMigration[]
  /** Everything in the schema, to be compared after a restore. */
  readonly structure: readonly CatalogItem[]
  /** In an order that foreign keys allow, and in which their rows follow. */
  readonly tables: readonly ArchivedTable[]
  /** The materialized views that hold rows. */
  readonly views: readonly string[]
  /** How many bytes the tables take on the server; earlier archives do not say it. */
  readonly size?: number
}

/** The first line of the archive of a tenant. */
export interface ArchiveHeader extends ArchiveHead {
  readonly tenant: ArchivedTenant
  readonly domains: readonly ArchivedDomain[]
}

/** The first line of the archive of a schema that belongs to no tenant. */
export interface FixedHeader extends ArchiveHead {
  readonly fixed: { readonly schema: string; readonly kind: FixedKind }
}

/** A kind of schema that belongs to no tenant. */
export type FixedKind = Exclude<SchemaKind, 'tenant'>

/** The row of the registry. */
export interface ArchivedTenant {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly schema: string
  readonly status: TenantStatus
  readonly metadata: Record<string, unknown>
}

/** A domain of the tenant. */
export interface ArchivedDomain {
  readonly host: string
  readonly path: string
  readonly primary: boolean
  readonly verified: boolean
}

/** What an archive has of a domain. */
export function archivedDomain({ host, path, primary, verified }: Domain): ArchivedDomain {
  return { host, path, primary, verified }
}

/** A row of the ledger. */
export interface ArchivedMigration {
  readonly id: number
  readonly name: string
  readonly hash: string
  /** When it was applied. */
  readonly at: string
}

/** A table, and its columns in the order of the values in its rows. */
export interface ArchivedTable {
  readonly name: string
  readonly columns: readonly string[]
}

/** Begins the rows of a table. */
export interface TableRecord {
  readonly table: string
}

/** Ends the rows of a table. */
export interface TableEndRecord {
  readonly tableEnd: string
  /** How many bytes its rows are, and their SHA-256. */
  readonly bytes: number
  readonly sha256: string
  /** What the server says that the rows come to, whatever their order. */
  readonly sum: string
}

/** Comes after the rows: a sequence is never behind what it has given to them. */
export interface SequencesRecord {
  readonly sequences: readonly ArchivedSequence[]
}

/** How far a sequence has come. */
export interface ArchivedSequence {
  readonly name: string
  /** A number that JavaScript's may be too small for. */
  readonly value: string
  readonly called: boolean
}

/** The last line: without it an archive is truncated. */
export interface EndRecord {
  readonly end: true
  /** The SHA-256 of all lines before this one; those of the rows have their own. */
  readonly sha256: string
}

/** A line of an archive. */
export type ArchiveRecord =
  ArchiveHeader | FixedHeader | TableRecord | TableEndRecord | SequencesRecord | EndRecord

/** Tells whether a line is the header of an archive, of any form. */
export function isHeader(input: unknown): input is Pick<ArchiveHeader, 'tenantry' | 'format'> {
  return has(input, 'tenantry') && input.tenantry === 'backup' && has(input, 'format')
}

/** Tells whether the header of a tenant's archive is whole. */
export function isWholeHeader(input: unknown): input is ArchiveHeader {
  if (!isWholeHead(input) || !has(input, 'tenant') || !hasList(input, 'domains')) return false
  const keys = ['id', 'slug', 'name', 'schema', 'status', 'metadata']
  return keys.every((key) => has(input.tenant, key))
}

/** Tells whether the header of the archive of another schema is whole. */
export function isFixedHeader(input: unknown): input is FixedHeader {
  if (!isWholeHead(input) || !has(input, 'fixed')) return false
  const { fixed } = input
  return (
    has(fixed, 'schema') && has(fixed, 'kind') && ['shared', 'static'].includes(String(fixed.kind))
  )
}

function isWholeHead(input: unknown): boolean {
  const lists = ['ledger', 'structure', 'tables', 'views']
  return isHeader(input) && has(input, 'server') && lists.every((key) => hasList(input, key))
}

function hasList(input: unknown, key: string): boolean {
  return has(input, key) && Array.isArray(input[key])
}

/** Tells whether a line begins a table. */
export function isTable(input: unknown): input is TableRecord {
  return has(input, 'table') && typeof input.table === 'string'
}

/** Tells whether a line ends a table. */
export function isTableEnd(input: unknown): input is TableEndRecord {
  return has(input, 'tableEnd') && has(input, 'sha256') && has(input, 'sum') && has(input, 'bytes')
}

/** Tells whether a line says how far sequences have come. */
export function isSequences(input: unknown): input is SequencesRecord {
  return has(input, 'sequences') && Array.isArray(input.sequences)
}

/** Tells whether a line is the last one. */
export function isEnd(input: unknown): input is EndRecord {
  return has(input, 'end') && has(input, 'sha256')
}

function has<K extends string>(input: unknown, key: K): input is Record<K, unknown> {
  return typeof input === 'object' && input !== null && key in input
}
