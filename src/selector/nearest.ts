import type { FleetSchema } from './selector.js'
import { present } from '../support/present.js'

const MAX_CANDIDATES = 10
const MAX_EDITS = 2

/** The schemas whose name or slug is like a name that nothing answers to, the nearest first. */
export function nearestSchemas(name: string, fleet: readonly FleetSchema[]): readonly string[] {
  return fleet
    .map(({ schema, tenant }) => {
      const alike = schema.includes(name) || name.includes(schema)
      const edits = Math.min(editsBetween(name, schema), editsBetween(name, tenant?.slug ?? schema))
      return { schema, alike, edits }
    })
    .filter(({ alike, edits }) => alike || edits <= allowedEdits(name))
    .toSorted((a, b) => a.edits - b.edits)
    .slice(0, MAX_CANDIDATES)
    .map(({ schema }) => schema)
}

/** In a short name two edits leave nothing that is alike. */
function allowedEdits(name: string): number {
  return Math.max(1, Math.min(MAX_EDITS, Math.floor(name.length / 3)))
}

/** The Levenshtein distance; the difference in length where that alone is too much. */
function editsBetween(a: string, b: string): number {
  const apart = Math.abs(a.length - b.length)
  if (apart > MAX_EDITS) return apart
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, sign] of Array.from(a).entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j += 1) {
      const swapped = present(row[j]) + (b[j] === sign ? 0 : 1)
      next.push(Math.min(swapped, present(row[j + 1]) + 1, present(next[j]) + 1))
    }
    row = next
  }
  return present(row[b.length])
}
