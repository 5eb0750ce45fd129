import { parsePrefix, quoteIdent } from '../../names/schema-name.js'
import { optionInvalid, refuseUnknown } from '../../support/options.js'
import type { NewTenant } from '../registry.js'
import type { TenantMetadata, TenantStatus } from '../tenant.js'
import { type StatusValue, type StatusWords, resolveStatuses } from './status-words.js'

/** How a service's own tables are read as a registry; `Metadata` is what it keeps with its tenants. */
export interface MappedRegistryOptions<Metadata = TenantMetadata> {
  /**
   * The table with one row for each tenant, such as `public.customers`; `public` where no schema is
   * named. Names are taken as PostgreSQL keeps them, so do not quote them.
   */
  readonly table: string
  /** The table's columns by what they hold. */
  readonly columns: MappedColumns
  /**
   * Instead of `columns.schema`: what comes before the slug in the name of each tenant's schema; the
   * same as the router's `schemas.tenants.prefix`.
   */
  readonly schemaPrefix?: string
  /**
   * What stands for each status in `columns.status`; of several values the first is written. A
   * status without one cannot be set.
   *
   * @defaultValue the statuses themselves: `active`, `suspended`, `deleted` and `provisioning`
   */
  readonly statuses?: Readonly<Partial<Record<TenantStatus, StatusValue | readonly StatusValue[]>>>
  /** Values for further columns of a new tenant's row, by column. */
  values?(this: void, tenant: NewTenant<Metadata>): Readonly<Record<string, unknown>>
  /** The table with the tenants' domains, if there is one. */
  readonly domains?: MappedDomains
}

/** The columns of {@link MappedRegistryOptions.table}. */
export interface MappedColumns {
  /** Of any type; it never changes, and the database gives it a value. */
  readonly id: string
  /** With a unique index. */
  readonly slug: string
  /** The name of the tenant's schema, with a unique index. Or give `schemaPrefix`. */
  readonly schema?: string
  /** @defaultValue the slug is the name */
  readonly name?: string
  /** @defaultValue every tenant is active, and stays that */
  readonly status?: string
  /** A column of type json or jsonb. @defaultValue there are no metadata */
  readonly metadata?: string
  /** @defaultValue 1970 */
  readonly createdAt?: string
  /** Set to `now()` whenever the registry changes the row. */
  readonly updatedAt?: string
}

/** A table with the domains of tenants. */
export interface MappedDomains {
  /** As {@link MappedRegistryOptions.table}. */
  readonly table: string
  readonly columns: {
    /** Refers to the tenant's id. */
    readonly tenant: string
    /** In lower case, as ASCII, without a port. With a unique index, also together with `path`. */
    readonly host: string
    /** Begins with `/`, or is empty. @defaultValue domains are whole hosts */
    readonly path?: string
    /** A boolean. @defaultValue no domain is primary */
    readonly primary?: string
    /** A boolean. @defaultValue every domain is verified */
    readonly verified?: string
    /** Instead of `verified`: a timestamp, which is null for a domain that is not verified. */
    readonly verifiedAt?: string
  }
}

/** A table whose names are ready for SQL text. */
export interface MappedTable {
  /** As the option says it, for messages. */
  readonly given: string
  readonly quoted: string
  /** The options' columns, as they are given, by the option's name. */
  readonly columns: ReadonlyMap<string, string>
  /** The quoted name of a column, if it is mapped. */
  readonly column: (name: string) => string | undefined
}

/** Options that were checked. */
export interface Mapping {
  readonly tenants: MappedTable
  readonly domains: MappedTable | undefined
  readonly schemaPrefix: string | undefined
  readonly statuses: StatusWords
  readonly values: NonNullable<MappedRegistryOptions['values']>
}

const OPTIONS = ['table', 'columns', 'schemaPrefix', 'statuses', 'values', 'domains'] as const
const TENANT_COLUMNS = {
  required: ['id', 'slug'],
  optional: ['schema', 'name', 'status', 'metadata', 'createdAt', 'updatedAt'],
}
const DOMAIN_COLUMNS = {
  required: ['tenant', 'host'],
  optional: ['path', 'primary', 'verified', 'verifiedAt'],
}

/**
 * Checks a mapping, as far as that can be done without the database.
 *
 * @throws `OPTIONS_INVALID`, `NAME_INVALID` for the prefix
 */
export function resolveMapping(options: MappedRegistryOptions): Mapping {
  refuseUnknown('', options, OPTIONS)
  const { domains, schemaPrefix, values = () => ({}) } = options
  const tenants = tableOf('', options, TENANT_COLUMNS)
  if (tenants.columns.has('schema') === (schemaPrefix !== undefined)) {
    throw optionInvalid('columns.schema', 'Give either "columns.schema" or "schemaPrefix".')
  }
  if (options.statuses !== undefined && !tenants.columns.has('status')) {
    throw optionInvalid('statuses', 'Option "statuses" says nothing without "columns.status".')
  }
  if (typeof values !== 'function') {
    throw optionInvalid('values', 'Option "values" must be a function of the new tenant.')
  }
  return {
    tenants,
    domains: domains && domainTableOf(domains),
    schemaPrefix: schemaPrefix === undefined ? undefined : parsePrefix(schemaPrefix),
    statuses: resolveStatuses(options.statuses),
    values,
  }
}

function domainTableOf(domains: MappedDomains): MappedTable {
  refuseUnknown('domains.', domains, ['table', 'columns'])
  const table = tableOf('domains.', domains, DOMAIN_COLUMNS)
  if (table.columns.has('verified') && table.columns.has('verifiedAt')) {
    throw optionInvalid('domains.columns.verified', 'Give "verified" or "verifiedAt", not both.')
  }
  return table
}

function tableOf(
  where: string,
  { table, columns }: { readonly table: string; readonly columns: object },
  names: { readonly required: readonly string[]; readonly optional: readonly string[] },
): MappedTable {
  const option = `${where}columns`
  if (typeof columns !== 'object' || columns === null) {
    throw optionInvalid(option, `Option "${option}" must be an object, for example { id: 'id' }.`)
  }
  refuseUnknown(`${option}.`, columns, [...names.required, ...names.optional])
  const given = new Map<string, string>()
  for (const [name, column] of Object.entries(columns)) {
    if (column !== undefined) given.set(name, nameOf(`${option}.${name}`, column))
  }
  for (const name of names.required) {
    if (!given.has(name)) {
      throw optionInvalid(`${option}.${name}`, `Option "${option}.${name}" names no column.`)
    }
  }
  const quoted = new Map([...given].map(([name, column]) => [name, quoteIdent(column)]))
  return {
    given: table,
    quoted: quotedTable(`${where}table`, table),
    columns: given,
    column: (name) => quoted.get(name),
  }
}

function nameOf(option: string, name: unknown): string {
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return name
  throw optionInvalid(option, `Option "${option}" must be a name, as PostgreSQL keeps it.`)
}

function quotedTable(option: string, table: unknown): string {
  const parts = nameOf(option, table).split('.')
  const [schema = '', name = ''] = parts.length === 1 ? ['public', ...parts] : parts
  if (parts.length > 2 || schema === '' || name === '') {
    throw optionInvalid(option, `Option "${option}" must be like 'customers' or 'app.customers'.`)
  }
  return `${quoteIdent(schema)}.${quoteIdent(name)}`
}
