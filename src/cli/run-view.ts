import { isatty } from 'node:tty'
import type { RunEvent, RunReport } from 'tenantry'
import { type Output, type OutputFlags, printJson } from './output.js'
import { eventJson } from './render/event.js'
import { eventLine, outcomeLine, reportJson, summaryLines } from './render/outcome.js'

/** Shows a run while it goes on. */
export interface RunView {
  readonly onEvent: (event: RunEvent) => void
  /** Writes a line of the result, above what is drawn. */
  readonly tell: (line: string) => void
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

/** What a schema had to say, in both forms. */
export interface Answer {
  readonly lines: readonly string[]
  readonly json: unknown
}

/** What a view says of a run, and where it may draw. */
export interface RunTopic {
  /** What a schema is afterwards, for example `migrated`. */
  readonly done: string
  /** What came back in a schema that is done. With it, answers are the result and not the outcomes. */
  readonly answerOf?: (schema: string) => Answer | undefined
  /** The terminal is lent to somebody else. */
  readonly isLent?: boolean
}

/** Opens the view that the flags and the terminal ask for. */
export async function openRunView(
  flags: RunViewFlags,
  output: Output,
  topic: RunTopic,
): Promise<RunView> {
  if (flags.events) return eventView(output, topic)
  if (!isLive(flags) || topic.isLent) return plainView(flags, output, topic)
  const { openLiveView } = await import('./live/live-view.js')
  const linesOf = (event: RunEvent): readonly string[] => [
    ...answerLines(event, topic),
    ...(isBad(event) ? [outcomeLine(event.outcome, output.colors, topic.done)] : []),
  ]
  return openLiveView({ stream: process.stdout, colors: output.colors, linesOf })
}

/** Somebody looks, and has not asked for something else. */
function isLive({ json, quiet, verbose }: RunViewFlags): boolean {
  return isatty(process.stdout.fd) && !json && !quiet && !verbose && process.env['CI'] === undefined
}

function eventView(output: Output, { answerOf }: RunTopic): RunView {
  return {
    onEvent(event) {
      const answer = isDone(event) ? answerOf?.(event.schema) : undefined
      const document = { ...eventJson(event), ...(answer && { result: answer.json }) }
      output.print(JSON.stringify(document))
    },
    tell: output.tell,
    note: output.note,
    end: () => {},
  }
}

function plainView({ quiet, verbose }: RunViewFlags, output: Output, topic: RunTopic): RunView {
  const { colors, tell, note } = output
  const write = topic.answerOf ? note : tell
  return {
    onEvent(event) {
      if (!quiet) answerLines(event, topic).forEach(tell)
      if (isBad(event) || (isDoneInSilence(event, topic) && !quiet)) {
        write(outcomeLine(event.outcome, colors, topic.done))
      }
      const line = verbose ? eventLine(event, colors) : undefined
      if (line !== undefined) write(line)
    },
    tell,
    note,
    end: () => {},
  }
}

type Finished = Extract<RunEvent, { type: 'finished' }>

function isBad(event: RunEvent): event is Finished {
  return event.type === 'finished' && ['failed', 'skipped'].includes(event.outcome.status)
}

function isDone(event: RunEvent): event is Finished {
  return event.type === 'finished' && !isBad(event)
}

/** Whether nothing but the outcome says that a schema is done. */
function isDoneInSilence(event: RunEvent, { answerOf }: RunTopic): event is Finished {
  return isDone(event) && answerOf?.(event.schema) === undefined
}

function answerLines(event: RunEvent, { answerOf }: RunTopic): readonly string[] {
  return isDone(event) ? (answerOf?.(event.schema)?.lines ?? []) : []
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
