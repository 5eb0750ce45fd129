/** A foreign key from one table to another of the same schema, which is checked at once. */
export interface Link {
  readonly from: string
  readonly to: string
}

/** What stands for a table. */
interface Named {
  readonly name: string
}

/** In which order tables are filled. */
export interface CopyOrder<T extends Named, L extends Link> {
  readonly tables: readonly T[]
  /** Links that no order can keep, because they close a cycle. */
  readonly cut: readonly L[]
}

/**
 * Orders tables so that each one comes after those that it refers to.
 *
 * A table that refers to itself is filled by one statement, which is checked at its end.
 */
export function copyOrder<T extends Named, L extends Link>(
  tables: readonly T[],
  links: readonly L[],
): CopyOrder<T, L> {
  const left = new Map(tables.map((table) => [table.name, table]))
  const ordered: T[] = []
  const cut: L[] = []
  const openLinks = (table: T): readonly L[] =>
    links.filter(({ from, to }) => from === table.name && to !== from && left.has(to))
  while (left.size > 0) {
    const [next] = [...left.values()]
      .map((table) => ({ table, open: openLinks(table) }))
      .toSorted((a, b) => a.open.length - b.open.length)
    if (next === undefined) break
    cut.push(...next.open)
    ordered.push(next.table)
    left.delete(next.table.name)
  }
  return { tables: ordered, cut }
}
