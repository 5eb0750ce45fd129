import type { LeaseRules } from '../postgres/lease-pool.js'
import type { Tenant } from '../registry/tenant.js'
import type { SchemaKind } from '../selector/selector.js'
import { wholeNumber } from '../support/options.js'

/** What a scope is made for. */
export interface ScopeSubject {
  readonly schema: string
  readonly kind: SchemaKind
  /** Only with the kind `tenant`. */
  readonly tenant: Tenant | undefined
}

/** How the clients of the pool are lent to scopes. */
export interface ScopeConfig {
  /**
   * Prepares each statement under a name of its own per client and tenant, so that it is parsed
   * and planned once. Needs a direct connection, or PgBouncer 1.21 and newer.
   *
   * @defaultValue `false`
   */
  readonly prepare?: boolean
  /** How many named statements one client may hold. @defaultValue `200` */
  readonly maxStatementsPerClient?: number
  /**
   * After so many different schemas a client is replaced: a backend keeps the catalogs of every
   * schema that it has seen.
   *
   * @defaultValue `200`
   */
  readonly maxSchemasPerClient?: number
  /** How long a scope waits for a client, in milliseconds; then `POOL_STARVED`. @defaultValue `30_000` */
  readonly acquireTimeout?: number
  /** Allows session scopes behind a pooler that is known to be in session mode. */
  readonly pooler?: 'session'
  /**
   * More settings that ride with each statement, local to its transaction: a role, a timeout, a
   * variable for row-level security. They cost no round trip.
   */
  readonly settings?: (subject: ScopeSubject) => Readonly<Record<string, string>>
}

/** How clients are lent, with every default filled in. */
export function resolveScope(scope: ScopeConfig): LeaseRules {
  return {
    naming: {
      prepare: scope.prepare ?? false,
      maxStatements: wholeNumber('maxStatementsPerClient', scope.maxStatementsPerClient ?? 200, 1),
    },
    maxSchemas: wholeNumber('maxSchemasPerClient', scope.maxSchemasPerClient ?? 200, 1),
    acquireTimeoutMs: wholeNumber('acquireTimeout', scope.acquireTimeout ?? 30_000, 1),
    poolerKeepsSession: scope.pooler === 'session',
  }
}
