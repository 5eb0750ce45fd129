/** A number with its noun: `1 schema`, `3 schemas`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The parts of a whole that are not empty: `49 migrated, 1 failed`. */
export function tallyText(parts: readonly (readonly [count: number, name: string])[]): string {
  const present = parts.filter(([count]) => count > 0)
  return present.map(([count, name]) => `${count} ${name}`).join(', ')
}
