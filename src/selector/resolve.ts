import { TenantryError } from '../errors.js'
import type { Tenant } from '../registry/tenant.js'
import { optionInvalid } from '../support/options.js'
import { isGlob, matchesGlob } from './glob.js'
import { containsJson } from './metadata.js'
import { nearestSchemas } from './nearest.js'
import { type FleetSchema, SCHEMA_KINDS, type Selector, type TenantsFilter } from './selector.js'

/** What is known beside the fleet itself. */
export interface SelectionFacts {
  /** Schemas, slugs, domains and globs that are left out in any case. */
  readonly exclude?: readonly string[]
  /** The schemas to which the names that are domains lead. */
  readonly domains?: ReadonlyMap<string, readonly string[]>
  /** The schemas that have pending migrations. */
  readonly behind?: ReadonlySet<string>
}

interface Known extends SelectionFacts {
  readonly fleet: readonly FleetSchema[]
}

/**
 * The schemas that a selector names, shared first, then static, then tenants, each by name.
 *
 * Exclusion always wins. A name that nothing answers to is an error, in `exclude` as well: a
 * misspelt exclusion would let a run touch what it was told to leave alone.
 *
 * @throws `SELECTOR_UNKNOWN`, `SELECTOR_AMBIGUOUS`, and `OPTIONS_INVALID` for what is no selector
 */
export function resolveSelector(
  selector: Selector,
  fleet: readonly FleetSchema[],
  facts: SelectionFacts = {},
): readonly FleetSchema[] {
  const known: Known = { ...facts, fleet }
  const excluded = new Set((facts.exclude ?? []).flatMap((name) => leftOut(name, known)))
  const chosen = new Set(choose(selector, known))
  return fleet.filter((schema) => chosen.has(schema) && !excluded.has(schema)).toSorted(inOrder)
}

function leftOut(name: string, known: Known): readonly FleetSchema[] {
  return isGlob(name) ? byGlob(name, known) : [byName(name, known)]
}

function choose(selector: Selector, known: Known): readonly FleetSchema[] {
  if (typeof selector !== 'object' || selector === null) return noSelector(selector)
  return chooseByKind(selector, known)
}

function chooseByKind(selector: Selector, known: Known): readonly FleetSchema[] {
  const { fleet } = known
  switch (selector.kind) {
    case 'all':
      return fleet
    case 'shared':
    case 'static':
      return fleet.filter(({ kind }) => kind === selector.kind)
    case 'tenants':
      return fleet.filter(({ tenant }) => tenant && passes(tenant, selector))
    case 'names':
      return selector.names.map((name) => byName(name, known))
    case 'matching':
      return byGlob(selector.glob, known)
    case 'behind':
      return fleet.filter(({ schema }) => known.behind?.has(schema))
    case 'union':
      return selector.of.flatMap((each) => choose(each, known))
    case 'intersect':
      return common(selector.of.map((each) => choose(each, known)))
    default:
      return noSelector(selector)
  }
}

function noSelector(_input: never): never {
  throw optionInvalid(
    'select',
    'What was given is no selector. Make one with select, for example select.tenants().',
  )
}

/** Nothing in common is nothing selected. */
function common([first = [], ...others]: readonly (readonly FleetSchema[])[]): FleetSchema[] {
  return first.filter((schema) => others.every((other) => other.includes(schema)))
}

function passes({ status, metadata }: Tenant, filter: TenantsFilter): boolean {
  const ofStatus = filter.status?.includes(status) ?? true
  return ofStatus && (filter.metadata === undefined || containsJson(metadata, filter.metadata))
}

function byGlob(glob: string, { fleet }: Known): readonly FleetSchema[] {
  const found = fleet.filter(
    ({ schema, tenant }) =>
      matchesGlob(glob, schema) || (tenant !== undefined && matchesGlob(glob, tenant.slug)),
  )
  if (found.length === 0) throw unknown(glob, fleet)
  return found
}

function byName(name: string, { fleet, domains }: Known): FleetSchema {
  const bySchema = fleet.filter(({ schema, tenant }) => schema === name || tenant?.slug === name)
  const led = domains?.get(name) ?? []
  const found = bySchema.length > 0 ? bySchema : fleet.filter(({ schema }) => led.includes(schema))
  const [first, ...others] = found
  if (first === undefined) throw unknown(name, fleet)
  if (others.length > 0) throw ambiguous(name, found)
  return first
}

function unknown(name: string, fleet: readonly FleetSchema[]): TenantryError {
  const candidates = nearestSchemas(name, fleet)
  const hint =
    candidates.length > 0
      ? `Did you mean ${candidates.join(', ')}?`
      : 'Look for the name in router.whoWill(select.all()).'
  return new TenantryError(
    'SELECTOR_UNKNOWN',
    `No schema, tenant or domain ${isGlob(name) ? 'matches' : 'is called'} ${JSON.stringify(name)}. ${hint}`,
    { schema: name, candidates },
  )
}

function ambiguous(name: string, found: readonly FleetSchema[]): TenantryError {
  const candidates = found.map(({ schema }) => schema)
  return new TenantryError(
    'SELECTOR_AMBIGUOUS',
    `${JSON.stringify(name)} names more than one schema: ${candidates.join(', ')}. ` +
      'Name the tenant by its schema, or take the other one with select.shared() or select.static().',
    { schema: name, candidates },
  )
}

function inOrder(a: FleetSchema, b: FleetSchema): number {
  const byKind = SCHEMA_KINDS.indexOf(a.kind) - SCHEMA_KINDS.indexOf(b.kind)
  if (byKind !== 0) return byKind
  return a.schema < b.schema ? -1 : 1
}
