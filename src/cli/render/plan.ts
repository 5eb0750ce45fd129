import type { SchemaPlan } from 'tenantry'
import type { Colors } from '../output.js'
import { countText, tallyText } from './count.js'
import { errorJson, errorLine } from './error.js'
import { schemaCell } from './outcome.js'

/** What would run in which schema, with a summary. */
export function planLines(plans: readonly SchemaPlan[], colors: Colors): string[] {
  const broken = plans.filter(({ problem }) => problem !== undefined).length
  const pending = plans.filter(({ run }) => run.length > 0).length
  const tally = tallyText([
    [pending, 'to migrate'],
    [plans.length - pending - broken, 'current'],
    [broken, 'broken'],
  ])
  return [
    ...plans.map((plan) => `${schemaCell(plan.schema)}  ${planText(plan, colors)}`),
    `${countText(plans.length, 'schema')}${tally && `: ${tally}`}`,
  ]
}

function planText({ run, atomic, problem }: SchemaPlan, colors: Colors): string {
  if (problem !== undefined) return `${colors.red('broken')}  ${errorLine(problem)}`
  if (run.length === 0) return colors.dim('current')
  const parts = atomic ? '' : '  (not in one transaction)'
  return `${colors.yellow('to run')}  ${run.join(', ')}${parts}`
}

/** What would run in which schema, as a document. */
export function planJson(plans: readonly SchemaPlan[]): object[] {
  return plans.map(({ problem, ...plan }) => ({
    ...plan,
    ...(problem && { problem: errorJson(problem) }),
  }))
}
