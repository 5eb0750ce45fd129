import { type ErrorCode, isTenantryError } from '../../errors.js'
import type { SelectionParts } from '../choose-schemas.js'
import type { FleetSchema, Selector } from '../../selector/selector.js'
import { isGlob, matchesGlob } from '../../selector/glob.js'
import type { SelectOptions } from './run-options.js'
import type { WorkResult } from './run.js'
import type { SpareSchemas } from '../spares.js'
import type { SchemaWork } from './work.js'

/** Says that a schema has had other migrations than those of the set. */
const MISFITS: readonly ErrorCode[] = [
  'MIGRATION_OUT_OF_ORDER',
  'MIGRATION_TAMPERED',
  'MIGRATION_UNKNOWN',
]

/** The spares that a run takes along: those beside all tenants, where nothing sets a limit. */
export async function sparesBeside(
  { db, spares }: Pick<SelectionParts, 'db'> & { readonly spares?: SpareSchemas | undefined },
  { select = { kind: 'all' }, exclude = [], limit }: SelectOptions,
): Promise<readonly FleetSchema[]> {
  if (spares === undefined || limit !== undefined || !takesAllTenants(select)) return []
  const globs = exclude.filter(isGlob)
  return (await spares.list(db))
    .filter((schema) => !globs.some((glob) => matchesGlob(glob, schema)))
    .map((schema) => ({ schema, kind: 'tenant', spare: true }))
}

function takesAllTenants(selector: Selector): boolean {
  const { kind } = selector
  if (kind === 'union') return selector.of.some(takesAllTenants)
  if (kind === 'intersect') return selector.of.every(takesAllTenants)
  const isFiltered =
    kind === 'tenants' && (selector.status !== undefined || selector.metadata !== undefined)
  return ['all', 'behind', 'tenants'].includes(kind) && !isFiltered
}

/**
 * Brings a spare up to date by what brings a tenant's schema there. Nobody has anything in a spare:
 * one that does not fit the set is dropped and another one made, where a tenant would have failed.
 */
export async function workOnSpare(
  { db, spares }: Pick<SelectionParts, 'db'> & { readonly spares: SpareSchemas },
  { schema: { schema }, migrations }: SchemaWork,
  migrate: () => Promise<WorkResult>,
): Promise<WorkResult> {
  try {
    const result = await migrate()
    const unfit = await spares.settle(schema, migrations)
    return unfit === undefined ? result : dropped(unfit)
  } catch (error) {
    if (MISFITS.some((code) => isTenantryError(error, code))) {
      await spares.drop(schema)
      return dropped('its ledger does not fit the migrations')
    }
    if (await spares.has(db, schema)) throw error
    return { status: 'skipped', applied: [], reason: 'the spare has become a tenant, or is gone' }
  }
}

function dropped(reason: string): WorkResult {
  return { status: 'skipped', applied: [], reason: `the spare was dropped: ${reason}` }
}
