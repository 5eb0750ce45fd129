import { type RunEvent, select } from 'tenantry'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { interruptSignal } from '../interrupt.js'
import { type Output, type OutputFlags, colorsOf, openOutput, printJson } from '../output.js'
import { findingLine } from '../render/finding.js'
import { outcomeLine, reportJson, summaryLine } from '../render/outcome.js'
import { verifyLines } from '../render/verify.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { isComplete, settleRun } from '../settled-run.js'

/** Flags of `tenantry migrate`. */
export interface MigrateFlags extends ConnectionFlags, SelectionFlags, OutputFlags {
  readonly canary?: number
  readonly verify?: boolean
  readonly lint?: 'error' | 'warn' | 'off'
}

/** Brings the selected schemas up to date; all of them if none are selected. */
export async function migrate(flags: MigrateFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), ...chosen } = selectionOf(flags)
  const { lint, canary, verify = false } = flags
  // A configuration makes its own folder the working directory.
  const folder = process.cwd()
  return withRouter(flags, { output, clients: chosen.concurrency }, async (router) => {
    const run = await settleRun(
      router.migrations.up({
        select: selected,
        ...chosen,
        ...(canary !== undefined && { canary }),
        verify,
        ...(lint && { lint: lint === 'off' ? false : lint }),
        signal: interruptSignal(),
        onEvent: (event) => noteLint(event, output, folder),
        onOutcome: (outcome) => output.tell(outcomeLine(outcome, output.colors)),
      }),
    )
    output.tell(summaryLine(run.report, 'migrated'))
    const { verified } = run.report
    for (const line of verified ? verifyLines(verified, output.colors) : []) output.tell(line)
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
