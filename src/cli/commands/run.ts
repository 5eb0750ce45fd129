import type { FleetSchema, ScopedClient } from 'tenantry'
import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { chooseSchemas } from '../choose.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { selecting, telling } from '../flags.js'
import { openOutput } from '../output.js'
import { schemaCell } from '../render/outcome.js'
import { type StatementResult, resultJson, resultLines, valueLines } from '../render/rows.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { type RunInput, readRunInput } from '../run-input.js'
import type { Answer, RunViewFlags } from '../run-view.js'
import { visitSchemas } from '../schema-visit.js'

/** `tenantry run` */
export const defineRun: Define = (program, settle) => {
  telling(selecting(program.command('run').alias('runschema')))
    .description('run SQL or a script in each selected schema, in a transaction per schema')
    .argument('[file]', 'a file with SQL, or a script in TypeScript or JavaScript')
    .option('-e, --execute <sql>', 'the SQL itself')
    .action(async (file: string | undefined, _flags, command: Command) =>
      settle(await run(file, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry run`. */
export interface RunFlags extends ConnectionFlags, SelectionFlags, RunViewFlags {
  readonly execute?: string
}

/** Runs SQL or a script in each selected schema, and prints what comes back. */
async function run(file: string | undefined, flags: RunFlags): Promise<ExitCode> {
  const output = openOutput({ json: flags.json === true || flags.events === true })
  const chosen = await chooseSchemas(flags, 'Where to run it')
  const input = await readRunInput(file, flags.execute)
  return withRouter(flags, { output, clients: chosen.concurrency }, (router) =>
    visitSchemas(
      { router, output, flags },
      {
        chosen,
        transaction: true,
        visit: async (db, place, { cancel }) => {
          const { lines, json } = await ask(input, db, { ...place, signal: cancel })
          return { lines: lines.map((line) => `${schemaCell(place.schema)}  ${line}`), json }
        },
      },
    ),
  )
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
