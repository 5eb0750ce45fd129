import { isGlob } from './glob.js'
import type { FleetSchema, Selector } from './selector.js'

/** Whether a selector can be resolved only by who knows which schemas are behind. */
export function asksForBehind(selector: Selector): boolean {
  return parts(selector).some(({ kind }) => kind === 'behind')
}

/** The names that no schema and no slug answers to; they may be domains. */
export function strangeNames(
  selector: Selector,
  exclude: readonly string[],
  fleet: readonly FleetSchema[],
): readonly string[] {
  const named = parts(selector).flatMap((part) => (part.kind === 'names' ? part.names : []))
  const known = new Set(fleet.flatMap(({ schema, tenant }) => [schema, tenant?.slug]))
  const asked = [...named, ...exclude.filter((name) => !isGlob(name))]
  return [...new Set(asked)].filter((name) => !known.has(name))
}

/** A selector with all that it is made of. What is no selector is refused when it is resolved. */
function parts(selector: Selector | undefined): readonly Selector[] {
  if (typeof selector !== 'object' || selector === null) return []
  const inner = selector.kind === 'union' || selector.kind === 'intersect' ? selector.of : []
  return [selector, ...inner.flatMap(parts)]
}
