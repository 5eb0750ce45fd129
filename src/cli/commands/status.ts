import { type SchemaStatus, select } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { isBroken, isPending, statusJson, statusLines } from '../render/status.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry status` */
export const defineStatus: Define = (program, settle) => {
  selecting(program.command('status'))
    .description('say which version schemas are on; exit code 3 when something is pending')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await status(command.optsWithGlobals())))
}

/** Flags of `tenantry status`. */
export interface StatusFlags extends ConnectionFlags, SelectionFlags, OutputFlags {}

/** Says which version the selected schemas are on and what they still need. */
async function status(flags: StatusFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), exclude, limit } = selectionOf(flags)
  return withRouter(flags, { output }, async (router) => {
    const statuses = await router.migrations.status({ select: selected, exclude, limit })
    for (const line of statusLines(statuses, output.colors)) output.tell(line)
    if (flags.json) printJson(output, statusJson(statuses))
    return exitCode(statuses)
  })
}

function exitCode(statuses: readonly SchemaStatus[]): ExitCode {
  if (statuses.some(isBroken)) return EXIT.failed
  return statuses.some(isPending) ? EXIT.pending : EXIT.fine
}
