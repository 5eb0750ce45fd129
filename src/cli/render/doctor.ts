import type { DoctorFinding } from '../doctor/finding.js'
import type { Colors } from '../output.js'
import { countText, tallyText } from './count.js'

const COLORS = {
  fine: 'green',
  warning: 'yellow',
  drift: 'yellow',
  locked: 'yellow',
  error: 'red',
} as const
const SHOWN_NAMES = 10
const SHOWN_DETAILS = 20
const INDENT = ' '.repeat(9)

/** Findings one by one, each with what to do, and a summary. */
export function doctorLines(findings: readonly DoctorFinding[], colors: Colors): string[] {
  const count = (level: DoctorFinding['level']): number =>
    findings.filter((finding) => finding.level === level).length
  const tally = tallyText([
    [count('fine'), 'fine'],
    [count('warning'), 'to think about'],
    [count('drift'), 'to bring up to date'],
    [count('locked'), 'not seen'],
    [count('error'), 'to correct'],
  ])
  return [
    ...findings.flatMap((finding) => findingLines(finding, colors)),
    `${countText(findings.length, 'check')}: ${tally}`,
  ]
}

function findingLines(finding: DoctorFinding, colors: Colors): string[] {
  const { check, level, message, advice, names = [], details = [] } = finding
  const mark = colors[COLORS[level]](level.padEnd('warning'.length))
  const shown = names.slice(0, SHOWN_NAMES).join(', ')
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : ''
  return [
    `${mark}  ${colors.dim(`${check}:`)} ${message}${shown && `: ${shown}${more}`}`,
    ...details.slice(0, SHOWN_DETAILS).map((line) => `${INDENT}${line}`),
    ...(details.length > SHOWN_DETAILS
      ? [`${INDENT}and ${details.length - SHOWN_DETAILS} more`]
      : []),
    ...(advice === undefined ? [] : [`${INDENT}${advice}`]),
  ]
}
