import type { VerifyFinding, VerifyReport } from 'tenantry'
import type { Colors } from '../output.js'
import { countText, tallyText } from './count.js'
import { errorJson, errorLine } from './error.js'

/** What differs in which schema, with a summary. */
export function verifyLines(report: VerifyReport, colors: Colors): string[] {
  const { findings, compared, reference } = report
  const drifted = findings.filter(({ error }) => error === undefined).length
  const broken = findings.length - drifted
  const tally = tallyText([
    [compared - drifted, 'as migrated'],
    [drifted, 'with drift'],
    [broken, 'not compared'],
  ])
  return [
    ...findings.flatMap((finding) => findingLines(finding, colors)),
    ...(reference.place === 'transaction'
      ? [`The reference was built beside the schemas, not alone: ${reference.reason ?? ''}`]
      : []),
    `${countText(compared + broken, 'schema')}${tally && `: ${tally}`}`,
  ]
}

function findingLines(finding: VerifyFinding, colors: Colors): string[] {
  const { schema, version, differences, error } = finding
  if (error !== undefined) return [`${colors.bold(schema)} ${errorLine(error)}`]
  return [
    `${colors.bold(schema)} differs from its migrations up to ${version}:`,
    ...differences.map((difference) => `  ${colored(difference, colors)}`),
  ]
}

function colored(difference: string, colors: Colors): string {
  if (difference.startsWith('-')) return colors.red(difference)
  return difference.startsWith('+') ? colors.green(difference) : colors.yellow(difference)
}

/** The report as a document. */
export function verifyJson({ findings, ...report }: VerifyReport): object {
  return {
    ...report,
    findings: findings.map(({ error, ...finding }) => ({
      ...finding,
      ...(error && { error: errorJson(error) }),
    })),
  }
}
