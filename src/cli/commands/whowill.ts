import type { Command } from 'commander'
import type { SelectionFlags } from '../arguments.js'
import { chooseSchemas } from '../choose.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry whowill` */
export const defineWhowill: Define = (program, settle) => {
  selecting(program.command('whowill'))
    .description('name the schemas that a command would be about; touches nothing')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await whowill(command.optsWithGlobals())))
}

/** Flags of `tenantry whowill`. */
export interface WhowillFlags extends ConnectionFlags, SelectionFlags, OutputFlags {}

/** Names the schemas that a command with the same flags would be about. Touches nothing. */
async function whowill(flags: WhowillFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select, exclude, limit } = await chooseSchemas(flags, 'Where to look')
  return withRouter(flags, { output }, async (router) => {
    const names = await router.whoWill(select, { exclude, limit })
    if (flags.json) printJson(output, names)
    else names.forEach(output.print)
    return EXIT.fine
  })
}
