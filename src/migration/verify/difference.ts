import type { CatalogItem, SchemaDescription } from './describe.js'

/** Longer definitions are shown from the first place where they differ. */
const MAX_SHOWN = 120
const BEFORE = 20

/**
 * How a schema differs from its reference, a line for each difference.
 *
 * `-` is missing, `+` is too much, `~` is different: first as it has to be, then as it is. Of a table
 * that is missing or too much, the parts are not listed.
 */
export function diffSchemas(
  reference: SchemaDescription,
  actual: SchemaDescription,
): readonly string[] {
  const wanted = byKey(reference)
  const found = byKey(actual)
  const missing = withoutParts(reference.filter((item) => !found.has(keyOf(item))))
  const extra = withoutParts(actual.filter((item) => !wanted.has(keyOf(item))))
  const lines: (readonly [string, string])[] = [
    ...missing.map((item) => [keyOf(item), line('-', item)] as const),
    ...extra.map((item) => [keyOf(item), line('+', item)] as const),
  ]
  for (const [key, item] of wanted) {
    const other = found.get(key)
    if (other === undefined || other.detail === item.detail) continue
    if (item.kind === 'column order' && !isReordered(item, other)) continue
    lines.push([key, changeLine(item, other.detail)])
  }
  return lines.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
}

function keyOf({ kind, name }: CatalogItem): string {
  return `${kind} ${name}`
}

function byKey(items: SchemaDescription): ReadonlyMap<string, CatalogItem> {
  return new Map(items.map((item) => [keyOf(item), item]))
}

function withoutParts(items: readonly CatalogItem[]): readonly CatalogItem[] {
  const whole = new Set(items.flatMap(({ parent, name }) => (parent === null ? name : [])))
  return items.filter(({ parent }) => parent === null || !whole.has(parent))
}

/** A column that is missing or too much has a line of its own. */
function isReordered(one: CatalogItem, other: CatalogItem): boolean {
  return sortedColumns(one) === sortedColumns(other)
}

function sortedColumns({ detail }: CatalogItem): string {
  return detail.split(', ').toSorted().join(', ')
}

function line(sign: string, item: CatalogItem): string {
  const detail = shown(item.detail, 0)
  return `${sign} ${keyOf(item)}${detail && ` ${detail}`}`
}

function changeLine(item: CatalogItem, actual: string): string {
  const wanted = item.detail
  if (Math.max(wanted.length, actual.length) <= MAX_SHOWN) {
    return `~ ${keyOf(item)}: ${shown(wanted, 0) || 'nothing'} → ${shown(actual, 0) || 'nothing'}`
  }
  let same = 0
  while (same < wanted.length && wanted[same] === actual[same]) same += 1
  const from = Math.max(0, same - BEFORE)
  return `~ ${keyOf(item)}: ${shown(wanted, from)} → ${shown(actual, from)}`
}

function shown(text: string, from: number): string {
  const part = text
    .slice(from, from + MAX_SHOWN)
    .replaceAll(/\s+/g, ' ')
    .trim()
  return `${from > 0 ? '…' : ''}${part}${text.length > from + MAX_SHOWN ? '…' : ''}`
}
