import type { SqlStatement } from '../../postgres/sql-text.js'

/** The same text with a statement left out; every other character keeps its place and its line. */
export function blankOut(
  text: string,
  { start, end }: Pick<SqlStatement, 'start' | 'end'>,
): string {
  return text.slice(0, start) + text.slice(start, end).replaceAll(/[^\n]/g, ' ') + text.slice(end)
}
