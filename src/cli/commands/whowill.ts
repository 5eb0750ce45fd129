import { select } from 'tenantry'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** Flags of `tenantry whowill`. */
export interface WhowillFlags extends ConnectionFlags, SelectionFlags, OutputFlags {}

/** Names the schemas that a command with the same flags would be about. Touches nothing. */
export async function whowill(flags: WhowillFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), exclude, limit } = selectionOf(flags)
  return withRouter(flags, { output }, async (router) => {
    const names = await router.whoWill(selected, { exclude, limit })
    if (flags.json) printJson(output, names)
    else names.forEach(output.print)
    return EXIT.fine
  })
}
