import type { FleetSchema, RunReport, SchemaRouter, ScopedClient } from 'tenantry'
import type { Chosen } from './choose.js'
import { EXIT, type ExitCode } from './exit-code.js'
import { listenForInterrupts } from './interrupt.js'
import { type Output, printReport } from './output.js'
import { reportJson, summaryLines } from './render/outcome.js'
import { type Answer, type RunView, type RunViewFlags, openRunView } from './run-view.js'
import { isComplete, settleRun } from './settled-run.js'

/** What is there while a schema is visited. */
export interface DuringVisit {
  readonly view: RunView
  /** Aborted by the second Ctrl-C. */
  readonly cancel: AbortSignal
}

/** Something that is done once in each of the chosen schemas. */
export interface SchemaVisits {
  readonly chosen: Chosen
  /** Each visit is one transaction. */
  readonly transaction?: boolean
  /** The terminal is lent to what is done. */
  readonly isLent?: boolean
  /** What it answers with counts only once the visit, with its transaction, has succeeded. */
  readonly visit: (
    db: ScopedClient,
    place: FleetSchema,
    during: DuringVisit,
  ) => Promise<Answer | undefined>
}

/** Where schemas are visited from. */
export interface VisitSurroundings {
  readonly router: SchemaRouter
  readonly output: Output
  readonly flags: RunViewFlags
}

/** Visits each of the chosen schemas, and says of each what became of it as soon as that is known. */
export async function visitSchemas(
  { router, output, flags }: VisitSurroundings,
  { chosen: { select, ...chosen }, transaction = false, isLent = false, visit }: SchemaVisits,
): Promise<ExitCode> {
  const answers = new Map<string, Answer>()
  const answerOf = (schema: string): Answer | undefined => answers.get(schema)
  const view = await openRunView(flags, output, { done: 'done', answerOf, isLent })
  const interrupts = listenForInterrupts(view.note)
  const during = { view, cancel: interrupts.cancel }
  const fn = async (db: ScopedClient, place: FleetSchema): Promise<void> => {
    const answer = await visit(db, place, during)
    if (answer !== undefined) answers.set(place.schema, answer)
  }
  const options = { ...chosen, transaction, ...interrupts, onEvent: view.onEvent }
  const settled = await settleRun(router.each(select, fn, options)).finally(view.end)
  for (const line of summaryLines(settled.report, 'done')) output.note(line)
  const document = documentOf(settled.report, answers)
  printReport(flags, output, document)
  if (settled.failure) throw settled.failure
  return isComplete(settled) ? EXIT.fine : EXIT.failed
}

function documentOf(report: RunReport, answers: ReadonlyMap<string, Answer>): object {
  const { outcomes, ...rest } = reportJson(report)
  return {
    outcomes: outcomes.map((outcome) => {
      const answer = outcome.status === 'done' ? answers.get(outcome.schema) : undefined
      return { ...outcome, ...(answer && { result: answer.json }) }
    }),
    ...rest,
  }
}
