/** A foreign key from one table to another of the same schema, which is checked at once. */
export interface Link {
  readonly from: string
  readonly to: string
}

/** In which order tables are filled. */
export interface CopyOrder<L extends Link> {
  readonly tables: readonly string[]
  /** Links that no order can keep, because they close a cycle. */
  readonly cut: readonly L[]
}

/**
 * Orders tables so that each one comes after those that it refers to.
 *
 * A table that refers to itself is filled by one statement, which is checked at its end.
 */
export function copyOrder<L extends Link>(
  tables: readonly string[],
  links: readonly L[],
): CopyOrder<L> {
  const left = new Set(tables)
  const ordered: string[] = []
  const cut: L[] = []
  const openLinks = (table: string): readonly L[] =>
    links.filter(({ from, to }) => from === table && to !== table && left.has(to))
  while (left.size > 0) {
    const [next] = [...left]
      .map((table) => ({ table, open: openLinks(table) }))
      .toSorted((a, b) => a.open.length - b.open.length)
    if (next === undefined) break
    cut.push(...next.open)
    ordered.push(next.table)
    left.delete(next.table)
  }
  return { tables: ordered, cut }
}
