import type { RunEvent, RunOptions, RunReport, SchemaRouter } from 'tenantry'
import type { Chosen } from './choose.js'
import { EXIT, type ExitCode } from './exit-code.js'
import { interruptSignal } from './interrupt.js'
import { type Output, type OutputFlags, colorsOf, openOutput, printJson } from './output.js'
import { findingLine } from './render/finding.js'
import { outcomeLine, reportJson, summaryLine } from './render/outcome.js'
import { verifyLines } from './render/verify.js'
import { type ConnectionFlags, withRouter } from './router.js'
import { isComplete, settleRun } from './settled-run.js'

/** Flags of a run of migrations, whatever it does with them. */
export interface MigrationRunFlags extends ConnectionFlags, OutputFlags {
  readonly lint?: 'error' | 'warn' | 'off'
}

/** A run of migrations over the chosen schemas. */
export interface MigrationRun {
  readonly chosen: Chosen
  /** What a schema is afterwards, for example `migrated`. */
  readonly done: string
  readonly start: (router: SchemaRouter, options: RunOptions) => Promise<RunReport>
}

/** Runs migrations, and says of each schema what became of it as soon as that is known. */
export async function runMigrations(
  flags: MigrationRunFlags,
  { chosen, done, start }: MigrationRun,
): Promise<ExitCode> {
  const output = openOutput(flags)
  const { lint } = flags
  // A configuration makes its own folder the working directory.
  const folder = process.cwd()
  return withRouter(flags, { output, clients: chosen.concurrency }, async (router) => {
    const run = await settleRun(
      start(router, {
        ...chosen,
        ...(lint && { lint: lint === 'off' ? false : lint }),
        signal: interruptSignal(),
        onEvent: (event) => noteLint(event, output, folder),
        onOutcome: (outcome) => output.tell(outcomeLine(outcome, output.colors, done)),
      }),
    )
    output.tell(summaryLine(run.report, done))
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
