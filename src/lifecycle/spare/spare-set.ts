import { TenantryError } from '../../errors.js'
import { fingerprintOf } from '../../migration/fingerprint.js'
import { type SchemaLayout, extrasOf } from '../../migration/layout.js'
import type { Migration } from '../../migration/source.js'
import { firstFew } from '../../support/first-few.js'

/** What a spare has to have been made with, to be what `tenants.create` would make now. */
export interface SpareSet {
  readonly migrations: readonly Migration[]
  /** What the ledger says once all of them have run. */
  readonly ledger: string
  /** The schemas that are searched after the tenant's own. */
  readonly path: string
}

/** The set that new tenants get, as spares are compared with it. */
export function spareSetOf(layout: SchemaLayout, migrations: readonly Migration[]): SpareSet {
  return {
    migrations,
    ledger: fingerprintOf(migrations),
    path: extrasOf(layout, 'tenant').join(', '),
  }
}

/** Why no spare is made of a set, if that shows without running it. */
export function unfitSet({ migrations }: SpareSet): TenantryError | undefined {
  const named = migrations.filter(({ code }) => code !== undefined && code.anyTenant !== true)
  if (named.length === 0) return undefined
  return spareUnsafe(
    named.map(({ fileName }) => fileName),
    'they are told the tenant, and a spare is made before there is one. Set anyTenant: true on ' +
      'those that do the same for every tenant',
  )
}

/** The error for a set of which no spare can be made. */
export function spareUnsafe(places: readonly string[], advice: string): TenantryError {
  return new TenantryError(
    'SPARE_UNSAFE',
    `No spares are made, and tenants are created without: a spare would not be like a tenant that ` +
      `is created because of ${firstFew(places, '; ')}: ${advice}.`,
    { candidates: places, option: 'spares' },
  )
}
