import type { RunEvent, RunReport, SchemaRouter } from 'tenantry'
import { EXIT, type ExitCode } from './exit-code.js'
import { type Interrupts, listenForInterrupts } from './interrupt.js'
import { openOutput } from './output.js'
import { type ConnectionFlags, withRouter } from './router.js'
import { type RunViewFlags, openRunView, tellReport } from './run-view.js'
import { isComplete, settleRun } from './settled-run.js'

/** Something that is done with the archives of many tenants. */
export interface FleetArchivesRun {
  readonly concurrency: number
  /** What a tenant is afterwards, for example `restored`. */
  readonly done: string
  readonly start: (
    router: SchemaRouter,
    options: Interrupts & { readonly onEvent: (event: RunEvent) => void },
  ) => Promise<RunReport>
}

/** Works on the archives of a folder, and says of each tenant what became of it. */
export async function runFleetArchives(
  flags: ConnectionFlags & RunViewFlags,
  { concurrency, done, start }: FleetArchivesRun,
): Promise<ExitCode> {
  const output = openOutput({ json: flags.json === true || flags.events === true })
  // One more has the lock of the folder.
  return withRouter(flags, { output, clients: concurrency + 1 }, async (router) => {
    const view = await openRunView(flags, output, { done })
    const options = { ...listenForInterrupts(view.note), onEvent: view.onEvent }
    const run = await settleRun(start(router, options)).finally(view.end)
    tellReport(flags, output, { report: run.report, done })
    for (const schema of leftOut(run.report)) {
      output.note(`${schema}  left out  it is not there, or no migrations of this package make it`)
    }
    if (run.failure) throw run.failure
    return isComplete(run) ? EXIT.fine : EXIT.failed
  })
}

function leftOut(report: RunReport): readonly string[] {
  return 'left' in report && Array.isArray(report.left) ? report.left.map(String) : []
}
