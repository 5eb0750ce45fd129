import { type SchemaPlan, select } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { planJson, planLines } from '../render/plan.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry plan` */
export const definePlan: Define = (program, settle) => {
  selecting(program.command('plan'))
    .description('say what `migrate` would run where; exit code 3 when that is anything')
    .option('--to <migration>', 'the last migration to run: its file name, its name or its number')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await plan(command.optsWithGlobals())))
}

/** Flags of `tenantry plan`. */
export interface PlanFlags extends ConnectionFlags, SelectionFlags, OutputFlags {
  readonly to?: string
}

/** Says what a migration would run in the selected schemas; all of them if none are selected. */
async function plan(flags: PlanFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { to } = flags
  const { select: selected = select.all(), exclude, limit } = selectionOf(flags)
  return withRouter(flags, { output }, async (router) => {
    const options = { select: selected, exclude, limit, ...(to !== undefined && { to }) }
    const plans = await router.migrations.plan(options)
    for (const line of planLines(plans, output.colors)) output.tell(line)
    if (flags.json) printJson(output, planJson(plans))
    return exitCode(plans)
  })
}

function exitCode(plans: readonly SchemaPlan[]): ExitCode {
  if (plans.some(({ problem }) => problem !== undefined)) return EXIT.failed
  return plans.some(({ run }) => run.length > 0) ? EXIT.pending : EXIT.fine
}
