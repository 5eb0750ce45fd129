import { splitStatements } from '../../postgres/sql-text.js'
import { NO_TRANSACTION_MARKER } from '../transaction/marker.js'

/** How the files of a tool mark what goes up and what comes down. */
export interface SectionMarks {
  readonly up: RegExp
  readonly down: RegExp
  /** What says that the section cannot be in a transaction; `line` is on the mark, `file` anywhere. */
  readonly outside?: { readonly line?: RegExp; readonly file?: RegExp }
  /** A file without any mark is all up; otherwise it is not right. */
  readonly optional?: boolean
}

/** The two halves of one file, each with its lines where they are in the file. */
export interface Sections {
  readonly up: string
  readonly down?: string
  /** Offset of SQL that belongs to neither. */
  readonly stray?: number
}

type Half = 'up' | 'down'

/**
 * Divides a file at its marks.
 *
 * What stands above a section is left as empty lines, so that a line of the section has the number
 * that it has in the file; what stands below is cut. Changing the reverse of a migration therefore
 * does not change the text of the migration itself.
 */
export function sectionsOf(text: string, marks: SectionMarks): Sections {
  const lines = text.split('\n')
  const halves = halfOfEachLine(lines, marks)
  const stray = strayIn(lines, halves)
  const up = textOf('up', lines, { halves, marks }) ?? ''
  const down = textOf('down', lines, { halves, marks })
  return { up, ...(down !== undefined && { down }), ...(stray !== undefined && { stray }) }
}

function halfOfEachLine(
  lines: readonly string[],
  { up, down, optional }: SectionMarks,
): readonly (Half | undefined)[] {
  const marked = lines.some((line) => up.test(line))
  let half: Half | undefined = optional === true && !marked ? 'up' : undefined
  return lines.map((line) => {
    if (up.test(line)) half = 'up'
    else if (down.test(line)) half = 'down'
    return half
  })
}

/** Only comments may stand in front of the first mark. */
function strayIn(
  lines: readonly string[],
  halves: readonly (Half | undefined)[],
): number | undefined {
  const first = halves.findIndex((half) => half !== undefined)
  const head = lines.slice(0, first === -1 ? lines.length : first).join('\n')
  return splitStatements(head)[0]?.start
}

function textOf(
  half: Half,
  lines: readonly string[],
  { halves, marks }: { halves: readonly (Half | undefined)[]; marks: SectionMarks },
): string | undefined {
  const last = halves.lastIndexOf(half)
  if (last === -1) return undefined
  const { outside } = marks
  const whole = lines.some((line) => outside?.file?.test(line) === true)
  const kept = lines.slice(0, last + 1).map((line, at) => {
    if (halves[at] !== half) return ''
    const isMark = marks[half].test(line)
    return isMark && (whole || outside?.line?.test(line)) ? NO_TRANSACTION_MARKER : line
  })
  return kept.join('\n')
}
