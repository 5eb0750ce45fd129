const BRAND = Symbol.for('tenantry.error')

/**
 * Every code that a {@link TenantryError} can carry; `docs/errors.md` explains each of them.
 *
 * @example
 * import { ERROR_CODES } from 'tenantry'
 *
 * const failures = new Map(ERROR_CODES.map((code) => [code, 0]))
 */
export const ERROR_CODES = [
  'ARCHIVE_INVALID',
  'ARCHIVE_NEWER',
  'BACKUP_BUSY',
  'CLONE_DIFFERS',
  'CONFIG_INVALID',
  'DOMAIN_NOT_FOUND',
  'DOMAIN_TAKEN',
  'EMBEDDED_POSTGRES_FAILED',
  'EMBEDDED_POSTGRES_MISSING',
  'EXTENSION_DROPPED',
  'EXTENSION_MISPLACED',
  'EXTENSION_MISSING',
  'EXTENSION_UNAVAILABLE',
  'HOOK_FAILED',
  'LINT_FAILED',
  'LINT_PARSER_MISSING',
  'METADATA_INVALID',
  'MIGRATION_ESCAPED',
  'MIGRATION_FAILED',
  'MIGRATION_IRREVERSIBLE',
  'MIGRATION_OUT_OF_ORDER',
  'MIGRATION_RUN_FAILED',
  'MIGRATION_SOURCE_INVALID',
  'MIGRATION_TAMPERED',
  'MIGRATION_UNKNOWN',
  'MOVE_REFUSED',
  'MOVE_UNFINISHED',
  'NAME_INVALID',
  'OPTIONS_INVALID',
  'PG_DUMP_FAILED',
  'PG_DUMP_UNFIT',
  'POOLER_IN_BETWEEN',
  'POOL_STARVED',
  'REGISTRY_UNSUPPORTED',
  'RENAME_UNSAFE',
  'RESTORE_DIFFERS',
  'RUN_FAILED',
  'SCHEMA_DRIFT',
  'SCHEMA_EXISTS',
  'SCHEMA_IN_USE',
  'SCHEMA_MISSING',
  'SCOPE_BYPASSED',
  'SCOPE_CLOSED',
  'SELECTOR_AMBIGUOUS',
  'SELECTOR_UNKNOWN',
  'SPARE_UNSAFE',
  'STATEMENT_REFUSED',
  'TENANT_BUSY',
  'TENANT_EXISTS',
  'TENANT_NOT_FOUND',
  'TENANT_NO_SCOPE',
  'TENANT_STATUS',
  'TENANT_SUSPENDED',
  'TENANT_UNRESOLVED',
  'TRANSACTION_LEFT_OPEN',
  'TRANSACTION_ROLLED_BACK',
] as const

/** A stable code of a {@link TenantryError}: branch on it, never on the message. */
export type ErrorCode = (typeof ERROR_CODES)[number]

/** What a {@link TenantryError} knows besides its code and sentence, for machines. */
export interface ErrorFacts {
  /** Slug of the tenant that the failing call was about. */
  readonly tenant?: string | undefined
  /** Schema that the failing call was about. */
  readonly schema?: string | undefined
  /** Host name, with its path prefix if it has one. */
  readonly domain?: string | undefined
  /** Name of the extension that the failing call was about. */
  readonly extension?: string | undefined
  /** The option, name or argument that was refused. */
  readonly option?: string | undefined
  /** File name of the migration that failed or was refused. */
  readonly migration?: string | undefined
  /** Full path of the file behind `migration`, or of an archive that cannot be read. */
  readonly file?: string | undefined
  /** One-based line in `file`. */
  readonly line?: number | undefined
  /** The SQL statement that failed, shortened to 500 characters. */
  readonly statement?: string | undefined
  /** SQLSTATE of the server's error, for example `42P01`. It is never the `code`. */
  readonly sqlState?: string | undefined
  /** Names that the caller may have meant. */
  readonly candidates?: readonly string[] | undefined
  /** The last lines of a server's log. */
  readonly log?: string | undefined
  /** What the call got done before it failed: the report of a run. */
  readonly report?: unknown
  /** What the linter found: a list of `LintFinding`. */
  readonly findings?: unknown
  /** What is wrong with a tenant's metadata. */
  readonly issues?: readonly MetadataIssue[] | undefined
}

/** Something in a tenant's metadata that the service's schema refuses. */
export interface MetadataIssue {
  /** The keys that lead to it; empty for the metadata as a whole. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

/**
 * The one error class of the package: a stable `code`, facts as fields, a sentence that says what to do.
 *
 * @example
 * import { isTenantryError, type SchemaRouter } from 'tenantry'
 *
 * async function statusOf(router: SchemaRouter, slug: string): Promise<number> {
 *   try {
 *     await router.withTenant(slug, (db) => db.query('select 1'))
 *     return 200
 *   } catch (error) {
 *     if (isTenantryError(error, 'TENANT_NOT_FOUND')) return 404
 *     throw error
 *   }
 * }
 */
export class TenantryError extends Error {
  /** Stable across releases; see {@link ERROR_CODES}. */
  readonly code: ErrorCode
  declare readonly tenant?: string
  declare readonly schema?: string
  declare readonly domain?: string
  declare readonly extension?: string
  declare readonly option?: string
  declare readonly migration?: string
  declare readonly file?: string
  declare readonly line?: number
  declare readonly statement?: string
  declare readonly sqlState?: string
  declare readonly candidates?: readonly string[]
  declare readonly log?: string
  declare readonly report?: unknown
  declare readonly findings?: unknown
  declare readonly issues?: readonly MetadataIssue[]

  constructor(code: ErrorCode, message: string, facts: ErrorFacts & { cause?: unknown } = {}) {
    const { cause, ...fields } = facts
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    for (const [name, fact] of Object.entries(fields)) {
      if (fact !== undefined) Object.assign(this, { [name]: fact })
    }
    Object.defineProperty(this, BRAND, { value: true })
  }

  override get name(): string {
    return 'TenantryError'
  }
}

/**
 * Tells whether `error` comes from this package, and with which code if one is given.
 *
 * Works across copies of the package and across ESM and CommonJS, where `instanceof` does not.
 *
 * @param error Anything that was thrown.
 * @param code The code to look for; without it any code will do.
 * @example
 * import { isTenantryError } from 'tenantry'
 *
 * const retry = (error: unknown): boolean => isTenantryError(error, 'TENANT_EXISTS')
 */
export function isTenantryError(error: unknown, code?: ErrorCode): error is TenantryError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false
  return code === undefined || ('code' in error && error.code === code)
}
