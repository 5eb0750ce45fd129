import { type RunEvent, select } from 'tenantry'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { interruptSignal } from '../interrupt.js'
import { type Output, type OutputFlags, colorsOf, openOutput, printJson } from '../output.js'
import { findingLine } from '../render/finding.js'
import { outcomeLine, reportJson, summaryLine } from '../render/outcome.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { isComplete, settleRun } from '../settled-run.js'

/** Flags of `tenantry migrate`. */
export interface MigrateFlags extends ConnectionFlags, SelectionFlags, OutputFlags {
  readonly lint?: 'error' | 'warn' | 'off'
}

/** Brings the selected schemas up to date; all of them if none are selected. */
export async function migrate(flags: MigrateFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), exclude, concurrency } = selectionOf(flags)
  const { lint } = flags
  // A configuration makes its own folder the working directory.
  const folder = process.cwd()
  return withRouter(flags, { output, clients: concurrency }, async (router) => {
    const run = await settleRun(
      router.migrations.up({
        select: selected,
        exclude,
        concurrency,
        ...(lint && { lint: lint === 'off' ? false : lint }),
        signal: interruptSignal(),
        onEvent: (event) => noteLint(event, output, folder),
        onOutcome: (outcome) => output.tell(outcomeLine(outcome, output.colors)),
      }),
    )
    output.tell(summaryLine(run.report, 'migrated'))
    if (flags.json) printJson(output, reportJson(run.report))
    if (run.failure) throw run.failure
    return isComplete(run) ? EXIT.fine : EXIT.failed
  })
}

/** What the linter has to say is no part of the result. */
function noteLint(event: RunEvent, output: Output, folder: string): void {
  if (event.type === 'finding') {
    output.note(findingLine(event.finding, folder, colorsOf(process.stderr)))
  }
  if (event.type === 'unchecked') {
    output.note(`The migrations were not linted. ${event.error.message}`)
  }
}
