import { select } from 'tenantry'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { interruptSignal } from '../interrupt.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { outcomeLine, reportJson, summaryLine } from '../render/outcome.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { isComplete, settleRun } from '../settled-run.js'

/** Flags of `tenantry migrate`. */
export interface MigrateFlags extends ConnectionFlags, SelectionFlags, OutputFlags {}

/** Brings the selected schemas up to date; all of them if none are selected. */
export async function migrate(flags: MigrateFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), exclude, concurrency } = selectionOf(flags)
  return withRouter(flags, { output, clients: concurrency }, async (router) => {
    const run = await settleRun(
      router.migrations.up({
        select: selected,
        exclude,
        concurrency,
        signal: interruptSignal(),
        onOutcome: (outcome) => output.tell(outcomeLine(outcome, output.colors)),
      }),
    )
    output.tell(summaryLine(run.report, 'migrated'))
    if (flags.json) printJson(output, reportJson(run.report))
    if (run.failure) throw run.failure
    return isComplete(run) ? EXIT.fine : EXIT.failed
  })
}
