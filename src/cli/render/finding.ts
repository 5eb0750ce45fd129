import { relative } from 'node:path'
import type { LintFinding, LintLevel } from 'tenantry/migrate'
import type { Colors } from '../output.js'
import { countText, tallyText } from './count.js'

const COLORS = { error: 'red', warning: 'yellow', note: 'cyan' } as const

/** A finding as `file:line:column level rule: message`. */
export function findingLine(finding: LintFinding, folder: string, colors: Colors): string {
  const { file, line, column, level, rule, message } = finding
  const place = [relative(folder, file), line, ...(column === undefined ? [] : [column])].join(':')
  return `${place} ${colors[COLORS[level]](level)} ${colors.dim(`${rule}:`)} ${message}`
}

/** Findings line by line, with a summary. */
export function findingLines(
  findings: readonly LintFinding[],
  folder: string,
  colors: Colors,
): readonly string[] {
  const lines = findings.map((finding) => findingLine(finding, folder, colors))
  const count = (level: LintLevel): number => findings.filter((each) => each.level === level).length
  const levels = (['error', 'warning', 'note'] as const).map((level) => {
    const found = count(level)
    return [found, found === 1 ? level : `${level}s`] as const
  })
  const tally = tallyText(levels)
  return [...lines, `${countText(findings.length, 'finding')}${tally && `: ${tally}`}`]
}
