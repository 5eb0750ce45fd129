import type { FleetSchema, RunReport, SchemaOutcome, ScopedClient } from 'tenantry'
import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { chooseSchemas } from '../choose.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { listenForInterrupts } from '../interrupt.js'
import { type Output, type OutputFlags, openOutput, printJson } from '../output.js'
import { outcomeLine, reportJson, schemaCell, summaryLine } from '../render/outcome.js'
import { type StatementResult, resultJson, resultLines, valueLines } from '../render/rows.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { type RunInput, readRunInput } from '../run-input.js'
import { isComplete, settleRun } from '../settled-run.js'

/** `tenantry run` */
export const defineRun: Define = (program, settle) => {
  selecting(program.command('run').alias('runschema'))
    .description('run SQL or a script in each selected schema, in a transaction per schema')
    .argument('[file]', 'a file with SQL, or a script in TypeScript or JavaScript')
    .option('-e, --execute <sql>', 'the SQL itself')
    .addOption(jsonOption())
    .action(async (file: string | undefined, _flags, command: Command) =>
      settle(await run(file, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry run`. */
export interface RunFlags extends ConnectionFlags, SelectionFlags, OutputFlags {
  readonly execute?: string
}

/** What came back in a schema, in both forms. */
interface Answer {
  readonly lines: readonly string[]
  readonly json: unknown
}

/** Runs SQL or a script in each selected schema, and prints what comes back. */
async function run(file: string | undefined, flags: RunFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select, concurrency, ...chosen } = await chooseSchemas(flags, 'Where to run it')
  const input = await readRunInput(file, flags.execute)
  const interrupts = listenForInterrupts(output.note)
  return withRouter(flags, { output, clients: concurrency }, async (router) => {
    const answers = new Map<string, Answer>()
    const visit = async (db: ScopedClient, place: FleetSchema): Promise<void> => {
      answers.set(place.schema, await ask(input, db, { ...place, signal: interrupts.cancel }))
    }
    const settled = await settleRun(
      router.each(select, visit, {
        ...chosen,
        concurrency,
        transaction: true,
        ...interrupts,
        // What a statement returned counts only once its transaction is committed.
        onOutcome: (outcome) => tell(output, outcome, answers),
      }),
    )
    output.note(summaryLine(settled.report, 'done'))
    if (flags.json) printJson(output, documentOf(settled.report, answers))
    if (settled.failure) throw settled.failure
    return isComplete(settled) ? EXIT.fine : EXIT.failed
  })
}

async function ask(
  input: RunInput,
  db: ScopedClient,
  context: FleetSchema & { readonly signal: AbortSignal },
): Promise<Answer> {
  if (input.kind === 'script') {
    const value = await input.run(db, context)
    return { lines: valueLines(value), json: value ?? null }
  }
  const { text } = input
  const result = await db.query<(string | null)[]>({ text, rowMode: 'array', types: AS_TEXT })
  // A text of several statements has several results, which the types of pg do not say.
  const all: readonly StatementResult[] = [result].flat()
  return { lines: all.flatMap(resultLines), json: all.map(resultJson) }
}

/** Values are printed as the server wrote them, so nothing is lost on a way through JavaScript. */
const AS_TEXT = { getTypeParser: () => (value: unknown) => value }

function tell(output: Output, outcome: SchemaOutcome, answers: Map<string, Answer>): void {
  if (outcome.status !== 'done') return output.note(outcomeLine(outcome, output.colors, 'done'))
  const { schema } = outcome
  for (const line of answers.get(schema)?.lines ?? []) {
    output.tell(`${schemaCell(schema)}  ${line}`)
  }
}

/** What came back counts only where the transaction was committed. */
function documentOf(report: RunReport, answers: ReadonlyMap<string, Answer>): object {
  const { outcomes, ...rest } = reportJson(report)
  return {
    outcomes: outcomes.map((outcome) => ({
      ...outcome,
      ...(outcome.status === 'done' && { result: answers.get(outcome.schema)?.json ?? null }),
    })),
    ...rest,
  }
}
