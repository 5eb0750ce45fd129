import type { FleetSchema, ScopedClient } from 'tenantry'
import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { childEnvironment, isPrisma } from '../child-environment.js'
import { Children } from '../child.js'
import { chooseSchemas } from '../choose.js'
import { urlOf } from '../database-url.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { listenForInterrupts } from '../interrupt.js'
import { type Output, type OutputFlags, openOutput, printJson } from '../output.js'
import { outcomeLine, reportJson, schemaCell, summaryLine } from '../render/outcome.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { isComplete, settleRun } from '../settled-run.js'
import { usageError } from '../usage-error.js'

/** `tenantry exec` */
export const defineExec: Define = (program, settle) => {
  selecting(program.command('exec'))
    .description('run any program once per selected schema, with variables that lead into it')
    .usage('[options] -- <program> [args...]')
    .argument('[words...]', 'the program and its arguments, behind `--`')
    .option('--prisma', 'give DATABASE_URL the form that Prisma needs, also in scripts')
    .addOption(jsonOption())
    .action(async (words: readonly string[], _flags, command: Command) =>
      settle(await exec(words, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry exec`. */
export interface ExecFlags extends ConnectionFlags, SelectionFlags, OutputFlags {
  readonly prisma?: boolean
}

/** Runs a program once per selected schema. */
async function exec(words: readonly string[], flags: ExecFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const [program, ...args] = words
  if (program === undefined) {
    throw usageError('words', 'Name a program behind --, as in: tenantry exec -ds -- psql -c "…"')
  }
  const { select, concurrency, ...chosen } = await chooseSchemas(flags, `Where to run ${program}`)
  const prisma = flags.prisma ?? isPrisma(words)
  // The program is started where the command was called, not beside the configuration.
  const folder = process.cwd()
  const children = new Children()
  return withRouter(flags, { output, clients: concurrency }, async (router, database) => {
    const url = urlOf(database)
    const visit = async (db: ScopedClient, place: FleetSchema): Promise<void> => {
      const environment = childEnvironment(url, await placeOf(db, place), { prisma })
      const onLine = concurrency > 1 ? lineWriter(output, place.schema) : undefined
      if (onLine === undefined) output.note(place.schema)
      const stdout = flags.json ? 'stderr' : 'inherit'
      await children.run({ program, args, environment, folder, onLine, stdout })
    }
    const settled = await children.passingSignals(() =>
      settleRun(
        router.each(select, visit, {
          ...chosen,
          concurrency,
          ...listenForInterrupts(output.note),
          onOutcome: (outcome) => output.note(outcomeLine(outcome, output.colors, 'done')),
        }),
      ),
    )
    output.note(summaryLine(settled.report, 'done'))
    if (flags.json) printJson(output, reportJson(settled.report))
    if (settled.failure) throw settled.failure
    return isComplete(settled) ? EXIT.fine : EXIT.failed
  })
}

/** The scope itself is asked for its path, so that the program sees what the service sees. */
async function placeOf(
  db: ScopedClient,
  { schema, tenant }: FleetSchema,
): Promise<Parameters<typeof childEnvironment>[1]> {
  const text = "select current_setting('search_path') as path"
  const { rows } = await db.query<{ path: string }>(text)
  return { schema, path: rows[0]?.path ?? '', ...(tenant && { tenant: tenant.slug }) }
}

/** Programs that run at the same time take turns by lines. */
function lineWriter(
  output: Output,
  schema: string,
): (line: string, stream: 'stdout' | 'stderr') => void {
  return (line, stream) => {
    const write = stream === 'stdout' ? output.tell : output.note
    write(`${schemaCell(schema)}  ${line}`)
  }
}
