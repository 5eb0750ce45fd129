import { type VerifyFinding, select } from 'tenantry'
import type { Command } from 'commander'
import { type SelectionFlags, selectionOf } from '../arguments.js'
import type { Define } from '../definition.js'
import { EXIT, type ExitCode } from '../exit-code.js'
import { jsonOption, selecting } from '../flags.js'
import { type OutputFlags, openOutput, printJson } from '../output.js'
import { verifyJson, verifyLines } from '../render/verify.js'
import { type ConnectionFlags, withRouter } from '../router.js'

/** `tenantry verify` */
export const defineVerify: Define = (program, settle) => {
  selecting(program.command('verify'))
    .description('compare schemas with what their migrations make; exit code 3 when one differs')
    .addOption(jsonOption())
    .action(async (_flags, command: Command) => settle(await verify(command.optsWithGlobals())))
}

/** Flags of `tenantry verify`. */
export interface VerifyFlags extends ConnectionFlags, SelectionFlags, OutputFlags {}

/** Compares the selected schemas with what their migrations make; all of them if none are selected. */
async function verify(flags: VerifyFlags): Promise<ExitCode> {
  const output = openOutput(flags)
  const { select: selected = select.all(), exclude, limit } = selectionOf(flags)
  return withRouter(flags, { output }, async (router) => {
    const report = await router.migrations.verify({ select: selected, exclude, limit })
    for (const line of verifyLines(report, output.colors)) output.tell(line)
    if (flags.json) printJson(output, verifyJson(report))
    return exitCode(report.findings)
  })
}

function exitCode(findings: readonly VerifyFinding[]): ExitCode {
  if (findings.some(({ error }) => error !== undefined)) return EXIT.failed
  return findings.length > 0 ? EXIT.pending : EXIT.fine
}
