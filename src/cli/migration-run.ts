import type { RunEvent, RunOptions, RunReport, SchemaRouter } from 'tenantry'
import type { Chosen } from './choose.js'
import { EXIT, type ExitCode } from './exit-code.js'
import { listenForInterrupts } from './interrupt.js'
import { type Output, colorsOf, openOutput } from './output.js'
import { errorLine } from './render/error.js'
import { findingLine } from './render/finding.js'
import { verifyLines } from './render/verify.js'
import { type ConnectionFlags, withRouter } from './router.js'
import { type RunView, type RunViewFlags, openRunView, tellReport } from './run-view.js'
import { isComplete, settleRun } from './settled-run.js'

/** Flags of a run of migrations, whatever it does with them. */
export interface MigrationRunFlags extends ConnectionFlags, RunViewFlags {
  readonly lint?: 'error' | 'warn' | 'off'
}

/** A run of migrations over the chosen schemas. */
export interface MigrationRun {
  readonly chosen: Chosen
  /** What a schema is afterwards, for example `migrated`. */
  readonly done: string
  readonly start: (router: SchemaRouter, options: RunOptions) => Promise<RunReport>
  /** Does more with what the run came to, also where schemas failed. */
  readonly finish?: (router: SchemaRouter, report: RunReport, output: Output) => Promise<void>
}

/** Runs migrations, and says of each schema what became of it as soon as that is known. */
export async function runMigrations(
  flags: MigrationRunFlags,
  { chosen, done, start, finish }: MigrationRun,
): Promise<ExitCode> {
  const output = openOutput({ json: flags.json === true || flags.events === true })
  const { lint } = flags
  // A configuration makes its own folder the working directory.
  const folder = process.cwd()
  return withRouter(flags, { output, clients: chosen.concurrency }, async (router) => {
    const view = await openRunView(flags, output, { done })
    const run = await settleRun(
      start(router, {
        ...chosen,
        ...(lint && { lint: lint === 'off' ? false : lint }),
        ...listenForInterrupts(view.note),
        onEvent: (event) => {
          view.onEvent(event)
          noteLint(event, view, folder)
        },
      }),
    ).finally(view.end)
    tellReport(flags, output, { report: run.report, done })
    const { verified } = run.report
    for (const line of verified ? verifyLines(verified, output.colors) : []) output.tell(line)
    await finish?.(router, run.report, output).catch((error: unknown) => {
      // That schemas failed is what has to be known first.
      if (run.failure === undefined) throw error
      output.note(errorLine(error))
    })
    if (run.failure) throw run.failure
    return isComplete(run) ? EXIT.fine : EXIT.failed
  })
}

/** What the linter has to say is no part of the result. */
function noteLint(event: RunEvent, view: RunView, folder: string): void {
  if (event.type === 'finding') {
    view.note(findingLine(event.finding, folder, colorsOf(process.stderr)))
  }
  if (event.type === 'unchecked') {
    view.note(`The migrations were not linted. ${event.error.message}`)
  }
}
