import { type SchemaStatus, type VerifyReport, select } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { isBroken, isPending, statusJson, statusLines } from '../render/status.js'
import { verifyLines } from '../render/verify.js'
import { type ConnectionFlags, withRouter } from '../router.js'
import { pageFile, writePage } from '../status-page/page-file.js'

/** `tenantry status` */
export const defineStatus: Define = (program, settle) => {
  selecting(program.command('status'))
    .description('say which version schemas are on; exit code 3 when something is pending')
    .option('--html <file>', 'write the same as a page for a browser')
    .option('--verify', 'compare the schemas, too; exit code 3 when one differs')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await status(command.optsWithGlobals())))
}

/** Flags of `tenantry status`. */
export interface StatusFlags extends ConnectionFlags, SelectionFlags, OutputFlags {
  readonly html?: string
  readonly verify?: boolean
}

/** Says which version the selected schemas are on and what they still need. */
async function status(flags: StatusFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), exclude, limit } = selectionOf(flags)
  const file = await pageFile(flags.html)
  return withRouter(flags, { output }, async (router) => {
    const chosen = { select: selected, exclude, limit }
    const statuses = await router.migrations.status(chosen)
    const verified = flags.verify ? await router.migrations.verify(chosen) : undefined
    for (const line of statusLines(statuses, output.colors)) output.tell(line)
    for (const line of verified ? verifyLines(verified, output.colors) : []) output.tell(line)
    if (file !== undefined) {
      await writePage(file, { statuses, ...(verified && { verified }), made: new Date() }, output)
    }
    if (flags.json) printJson(output, statusJson(statuses))
    return exitCode(statuses, verified)
  })
}

function exitCode(statuses: readonly SchemaStatus[], verified: VerifyReport | undefined): ExitCode {
  const findings = verified?.findings ?? []
  if (statuses.some(isBroken) || findings.some(({ error }) => error)) return EXIT.failed
  return statuses.some(isPending) || findings.length > 0 ? EXIT.pending : EXIT.fine
}
