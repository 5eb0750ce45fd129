import { isatty } from 'node:tty'
import type { RunEvent, RunReport } from 'tenantry'
import { type Output, type OutputFlags, printJson } from './output.js'
import { eventJson } from './render/event.js'
import { eventLine, outcomeLine, reportJson, summaryLines } from './render/outcome.js'

/** Shows a run while it goes on. */
export interface RunView {
  readonly onEvent: (event: RunEvent) => void
  /** Writes a line that is no part of the result. */
  readonly note: (line: string) => void
  /** Takes away what was drawn, if anything was. */
  readonly end: () => void
}

/** What says how much is told of a run. */
export interface RunViewFlags extends OutputFlags {
  /** Each event as a line of JSON on stdout. */
  readonly events?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** Opens the view that the flags and the terminal ask for; `done` is what a schema is afterwards. */
export async function openRunView(
  flags: RunViewFlags,
  output: Output,
  done: string,
): Promise<RunView> {
  const { colors } = output
  if (flags.events) {
    return {
      onEvent: (event) => output.print(JSON.stringify(eventJson(event))),
      note: output.note,
      end: () => {},
    }
  }
  const failures = (event: RunEvent): string | undefined =>
    event.type === 'finished' && ['failed', 'skipped'].includes(event.outcome.status)
      ? outcomeLine(event.outcome, colors, done)
      : undefined
  if (isLive(flags)) {
    const { openLiveView } = await import('./live/live-view.js')
    return openLiveView({ stream: process.stdout, colors, lineOf: failures })
  }
  const all = (event: RunEvent): string | undefined => {
    if (event.type === 'finished') return outcomeLine(event.outcome, colors, done)
    return flags.verbose ? eventLine(event, colors) : undefined
  }
  return plainView(output, flags.quiet ? failures : all)
}

/** Somebody looks, and has not asked for something else. */
function isLive({ json, quiet, verbose }: RunViewFlags): boolean {
  return isatty(process.stdout.fd) && !json && !quiet && !verbose && process.env['CI'] === undefined
}

function plainView(output: Output, lineOf: (event: RunEvent) => string | undefined): RunView {
  return {
    onEvent(event) {
      const line = lineOf(event)
      if (line !== undefined) output.tell(line)
    },
    note: output.note,
    end: () => {},
  }
}

/** Writes what a run came to, in the form that the flags ask for. */
export function tellReport(
  flags: RunViewFlags,
  output: Output,
  { report, done }: { readonly report: RunReport; readonly done: string },
): void {
  if (flags.events) output.print(JSON.stringify({ type: 'report', ...reportJson(report) }))
  for (const line of summaryLines(report, done)) output.tell(line)
  if (flags.json && !flags.events) printJson(output, reportJson(report))
}
