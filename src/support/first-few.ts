/** How many items a message names; a field of its error has them all. */
const MAX_NAMED = 5

/** The first items of a list, and how many there are besides: `a; b; and 3 more`. */
export function firstFew(items: readonly string[], separator: string): string {
  const more = items.length - MAX_NAMED
  const named = items.slice(0, MAX_NAMED)
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join(separator)
}
