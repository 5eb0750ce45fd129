import type { Pool } from 'pg'
import { isTenantryError } from '../../errors.js'
import type { TenantRegistry } from '../../registry/registry.js'
import type { Check } from './check.js'
import { CheckPlace } from './check.js'
import { domainChecks } from './domain-checks.js'
import { lookUpChecks } from './look-up-checks.js'
import { tenantChecks } from './tenant-checks.js'
import { transactionChecks } from './transaction-checks.js'

/** A registry that is tested, and the database on which it works. */
export interface TestedRegistry {
  readonly registry: TenantRegistry
  /** Lends at least three clients. */
  readonly pool: Pool
}

/** How {@link testRegistry} tests. */
export interface TestRegistryOptions {
  /** `it` or `test` of your test runner. */
  readonly test: (name: string, fn: () => Promise<void>) => unknown
  /** Called in each test; the same registry may be given each time, and have other tenants. */
  readonly open: () => TestedRegistry | Promise<TestedRegistry>
  /**
   * Lets a test pass whose operation the registry refuses with `REGISTRY_UNSUPPORTED`.
   *
   * @defaultValue `false`
   */
  readonly partial?: boolean
}

/**
 * Adds a test for each thing that the package expects of a registry.
 *
 * Each test makes tenants of its own, and removes none of yours. They fail with an `AssertionError`
 * of `node:assert`, or with what the registry throws.
 *
 * @example
 * import { test } from 'node:test'
 * import { Pool } from 'pg'
 * import { memoryRegistry, testRegistry } from 'tenantry/testing'
 *
 * const pool = new Pool()
 * const registry = memoryRegistry()
 * testRegistry({ test, open: () => ({ registry, pool }) })
 */
export function testRegistry({ test, open, partial = false }: TestRegistryOptions): void {
  const checks: Readonly<Record<string, Check>> = {
    ...tenantChecks,
    ...transactionChecks,
    ...domainChecks,
    ...lookUpChecks,
  }
  for (const [name, check] of Object.entries(checks)) {
    test(name, async () => {
      const place = new CheckPlace(await open())
      try {
        await place.registry.install(place.pool)
        await check(place)
      } catch (error) {
        if (!partial || !isTenantryError(error, 'REGISTRY_UNSUPPORTED')) throw error
      } finally {
        await place.clear()
      }
    })
  }
}
