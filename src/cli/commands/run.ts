import type { SchemaOutcome, ScopedClient } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { interruptSignal } from '../interrupt.js'
import { type Output, openOutput } from '../output.js'
import { outcomeLine, schemaCell, summaryLine } from '../render/outcome.js'
import { type StatementResult, resultLines } from '../render/rows.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { isComplete, settleRun } from '../settled-run.js'
import { readSql } from '../sql-input.js'
import { usageError } from '../usage-error.js'

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
export interface RunFlags extends ConnectionFlags, SelectionFlags {
  readonly execute?: string
}

/** Runs SQL in each selected schema, in a transaction per schema, and prints what comes back. */
async function run(file: string | undefined, flags: RunFlags): Promise<ExitCode> {
  const output = openOutput({})
  const { select, exclude, limit, concurrency } = selectionOf(flags)
  if (select === undefined) {
    throw usageError('schema', 'Say where the SQL is to run: -s NAME, -ds, -ss or -as.')
  }
  const text = await readSql(file, flags.execute)
  return withRouter(flags, { output, clients: concurrency }, async (router) => {
    const results = new Map<string, readonly string[]>()
    const settled = await settleRun(
      router.each(select, async (db, { schema }) => results.set(schema, await ask(db, text)), {
        exclude,
        limit,
        concurrency,
        transaction: true,
        signal: interruptSignal(),
        // What a statement returned counts only once its transaction is committed.
        onOutcome: (outcome) => tell(output, outcome, results),
      }),
    )
    output.note(summaryLine(settled.report, 'done'))
    if (settled.failure) throw settled.failure
    return isComplete(settled) ? EXIT.fine : EXIT.failed
  })
}

async function ask(db: ScopedClient, text: string): Promise<readonly string[]> {
  const result = await db.query<(string | null)[]>({ text, rowMode: 'array', types: AS_TEXT })
  // A text of several statements has several results, which the types of pg do not say.
  const all: readonly StatementResult[] = [result].flat()
  return all.flatMap(resultLines)
}

/** Values are printed as the server wrote them, so nothing is lost on a way through JavaScript. */
const AS_TEXT = { getTypeParser: () => (value: unknown) => value }

function tell(
  output: Output,
  outcome: SchemaOutcome,
  results: Map<string, readonly string[]>,
): void {
  if (outcome.status !== 'done') return output.note(outcomeLine(outcome, output.colors, 'done'))
  const { schema } = outcome
  for (const line of results.get(schema) ?? []) output.print(`${schemaCell(schema)}  ${line}`)
  results.delete(schema)
}
