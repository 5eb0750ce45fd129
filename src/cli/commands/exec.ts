import type { FleetSchema, ScopedClient } from 'tenantry'
import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { childEnvironment, isPrisma } from '../child-environment.js'
import { Children } from '../child.js'
import { chooseSchemas } from '../choose.js'
import { urlOf } from '../database-url.js'
import type { Define } from '../definition.js'
import type { ExitCode } from '../exit-code.js'
import { selecting, telling } from '../flags.js'
import { openOutput } from '../output.js'
import { schemaCell } from '../render/outcome.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import type { RunView, RunViewFlags } from '../run-view.js'
import { type SchemaVisits, visitSchemas } from '../schema-visit.js'
import { usageError } from '../usage-error.js'

/** `tenantry exec` */
export const defineExec: Define = (program, settle) => {
  telling(selecting(program.command('exec')))
    .description('run any program once per selected schema, with variables that lead into it')
    .usage('[options] -- <program> [args...]')
    .argument('[words...]', 'the program and its arguments, behind `--`')
    .option('--prisma', 'give DATABASE_URL the form that Prisma needs, also in scripts')
    .action(async (words: readonly string[], _flags, command: Command) =>
      settle(await exec(words, command.optsWithGlobals())),
    )
}

/** Flags of `tenantry exec`. */
export interface ExecFlags extends ConnectionFlags, SelectionFlags, RunViewFlags {
  readonly prisma?: boolean
}

/** Runs a program once per selected schema. */
async function exec(words: readonly string[], flags: ExecFlags): Promise<ExitCode> {
  const isDocument = flags.json === true || flags.events === true
  const output = openOutput({ json: isDocument })
  const [program, ...args] = words
  if (program === undefined) {
    throw usageError('words', 'Name a program behind --, as in: tenantry exec -ds -- psql -c "…"')
  }
  const chosen = await chooseSchemas(flags, `Where to run ${program}`)
  const prisma = flags.prisma ?? isPrisma(words)
  // The program is started where the command was called, not beside the configuration.
  const folder = process.cwd()
  const children = new Children()
  // One at a time has the terminal for itself, and may ask there.
  const isLent = chosen.concurrency === 1
  return withRouter(flags, { output, clients: chosen.concurrency }, async (router, database) => {
    const url = urlOf(database)
    const visit: SchemaVisits['visit'] = async (db, place, { view }) => {
      const environment = childEnvironment(url, await placeOf(db, place), { prisma })
      const onLine = isLent ? undefined : lineWriter(view, place.schema)
      if (isLent) output.note(place.schema)
      const stdout = isDocument ? 'stderr' : 'inherit'
      await children.run({ program, args, environment, folder, onLine, stdout })
      return undefined
    }
    const surroundings = { router, output, flags }
    return children.passingSignals(() => visitSchemas(surroundings, { chosen, isLent, visit }))
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
  view: RunView,
  schema: string,
): (line: string, stream: 'stdout' | 'stderr') => void {
  return (line, stream) => {
    const write = stream === 'stdout' ? view.tell : view.note
    write(`${schemaCell(schema)}  ${line}`)
  }
}
