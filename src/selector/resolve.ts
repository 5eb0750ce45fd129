import { TenantryError } from '../errors.js'
import { optionInvalid } from '../support/options.js'
import { type FleetSchema, SCHEMA_KINDS, type Selector } from './selector.js'

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
  exclude: readonly string[] = [],
): readonly FleetSchema[] {
  const excluded = new Set(exclude.map((name) => byName(name, fleet)))
  const chosen = new Set(choose(selector, fleet))
  return fleet.filter((schema) => chosen.has(schema) && !excluded.has(schema)).toSorted(inOrder)
}

function choose(selector: Selector, fleet: readonly FleetSchema[]): readonly FleetSchema[] {
  if (typeof selector !== 'object' || selector === null) return noSelector(selector)
  switch (selector.kind) {
    case 'all':
      return fleet
    case 'shared':
    case 'static':
      return fleet.filter(({ kind }) => kind === selector.kind)
    case 'tenants':
      return fleet.filter(({ tenant }) => tenant && hasStatus(selector.status, tenant.status))
    case 'names':
      return selector.names.map((name) => byName(name, fleet))
    case 'union':
      return selector.of.flatMap((each) => choose(each, fleet))
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

function hasStatus(wanted: readonly string[] | undefined, status: string): boolean {
  return wanted === undefined || wanted.includes(status)
}

function byName(name: string, fleet: readonly FleetSchema[]): FleetSchema {
  const found = fleet.filter(({ schema, tenant }) => schema === name || tenant?.slug === name)
  const [first, ...others] = found
  if (first === undefined) throw unknown(name, fleet)
  if (others.length > 0) throw ambiguous(name, found)
  return first
}

function unknown(name: string, fleet: readonly FleetSchema[]): TenantryError {
  const candidates = fleet
    .map(({ schema }) => schema)
    .filter((schema) => schema.includes(name) || name.includes(schema))
    .slice(0, 10)
  const hint =
    candidates.length > 0
      ? `Did you mean ${candidates.join(', ')}?`
      : 'Look for the name in router.whoWill(select.all()).'
  return new TenantryError(
    'SELECTOR_UNKNOWN',
    `No schema or tenant is called ${JSON.stringify(name)}. ${hint}`,
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
