import type { Colors } from '../output.js'

/** Lines of a table with aligned columns; the first row is the head. */
export function tableLines(rows: readonly (readonly string[])[], colors: Colors): string[] {
  const [head = []] = rows
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return lines.map((line, index) => (index === 0 ? colors.dim(line) : line))
}
